//! Categories of enhanced presence: publishing them, the server's report of what it holds, and its faults.

mod contact_card;
mod device;
mod event_categories;
mod fault;
mod instance;
mod publish;
mod report;
mod roaming_self;
mod routing;
mod state_category;

use crate::xml::{Name, Namespace};

pub use contact_card::{ContactCard, MessageWaiting, NoteBody, NoteCategory, Phone};
pub(crate) use device::truth;
pub use device::{AggregatedCapability, DeviceCapability, DeviceCategory, Service, ServicesCategory};
pub use event_categories::{EVENT_CONTENT_TYPE, EventCategories, WatchedCategory};
pub use fault::{Fault, VersionConflict, WRONG_DELTA};
pub use instance::{CategoryInstance, Content, ExpireType, OpaqueContent};
pub use publish::{CategoryPublish, parse_publish};
pub use report::{CategoryReport, Gone, parse_report};
pub use roaming_self::{Container, Member, MemberKind, RoamingData, Subscriber};
pub use routing::RoutingCategory;
pub use state_category::{PublishedActivity, StateCategory, StateKind};

/// An element of that namespace; one without namespace is taken for it.
pub(crate) fn is_of(name: &Name<'_>, namespace: Namespace, local: &str) -> bool {
    name.local == local && (name.namespace == namespace || name.namespace == Namespace::None)
}

/// Content type of a publication.
///
/// MS-PRES 2.2.2.1
pub const PUBLISH_CONTENT_TYPE: &str = "application/msrtc-category-publish+xml";
/// Content type of the report of a user's own categories.
///
/// MS-PRES 2.2.2.6
pub const REPORT_CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-self+xml";
/// Content type of a fault.
///
/// MS-PRES 2.2.2.9
pub const FAULT_CONTENT_TYPE: &str = "application/msrtc-fault+xml";

/// The container of a user's own machines, which the server aggregates for contacts in general.
///
/// MS-PRES 3.1.1 (containers)
pub const FIRST_AGGREGATION: u16 = 2;
/// The container that the server aggregates for close contacts.
///
/// MS-PRES 3.1.1 (containers)
pub const SECOND_AGGREGATION: u16 = 3;
