//! Categories of enhanced presence: publishing them, the server's report of what it holds, and its faults.

mod device;
mod fault;
mod instance;
mod publish;
mod report;
mod state_category;

pub use device::DeviceCategory;
pub use fault::{Fault, VersionConflict, WRONG_DELTA};
pub use instance::{CategoryInstance, Content, ExpireType};
pub use publish::{CategoryPublish, parse_publish};
pub use report::{CategoryReport, parse_report};
pub use state_category::{PublishedActivity, StateCategory, StateKind};

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
