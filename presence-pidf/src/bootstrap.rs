//! The first log-on of a user, without which nobody may see the user's presence: the containers' members, and what new users
//! publish. A user's own settings are never changed: only what is missing is added.

use crate::category::{
    CategoryInstance, ContactCard, Content, ExpireType, Member, MemberKind, NoteCategory, OpaqueContent,
    RoutingCategory, ServicesCategory, StateCategory,
};
use crate::own_presence::OwnPresence;
use crate::subscription::{MemberChange, SetContainerMembers};

/// Whom a user's presence is for.
///
/// MS-PRES 3.2 (privacy mode)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privacy {
    /// The own company and federated ones.
    Open,
    /// Contacts alone: the own company is not let in.
    ContactsOnly,
}

/// The members that a new user's containers lack; `None` when there is nothing to be added. Ask after the first report.
///
/// MS-PRES 2.2.2.3; MS-PRES 3.2 (first log-on)
#[must_use]
pub fn missing_members(own: &OwnPresence, privacy: Privacy) -> Option<SetContainerMembers> {
    let mut containers = Vec::new();
    let wanted = [(COLLEAGUES, MemberKind::SameEnterprise), (EXTERNAL, MemberKind::Federated)];
    for (id, kind) in wanted {
        let unwanted = privacy == Privacy::ContactsOnly && kind == MemberKind::SameEnterprise;
        if unwanted || own.has_member(&kind) {
            continue;
        }
        let version = own.container(id).map_or(0, |container| container.version);
        let member = Member { kind, value: None };
        containers.push((id, version, vec![MemberChange { joins: true, member }]));
    }
    (!containers.is_empty()).then_some(SetContainerMembers { containers })
}

/// What a new user publishes and this one does not: empty cards and remarks for strangers, and nothing at all for those who are
/// blocked.
///
/// MS-PRES 3.2 (first log-on)
#[must_use]
pub fn missing_defaults(own: &OwnPresence) -> Vec<CategoryInstance<'static>> {
    let calendar = || OpaqueContent::parse(CALENDAR.as_bytes()).ok().map(Content::Other);
    let card = || Some(Content::ContactCard(ContactCard::default()));
    let note = || Some(Content::Note(NoteCategory::default()));
    let offline = Some(Content::State(StateCategory::aggregate(OFFLINE)));
    let rows = [
        ("contactCard", 1, EXTERNAL, card()),
        ("contactCard", 2, EXTERNAL, card()),
        ("calendarData", 0, EXTERNAL, calendar()),
        ("note", 0, EXTERNAL, note()),
        ("contactCard", 1, BLOCKED, card()),
        ("contactCard", 2, BLOCKED, card()),
        ("contactCard", 3, BLOCKED, card()),
        ("contactCard", 4, BLOCKED, card()),
        ("services", 0, BLOCKED, Some(Content::Services(ServicesCategory::default()))),
        ("calendarData", 0, BLOCKED, calendar()),
        ("note", 0, BLOCKED, note()),
        ("state", 1, BLOCKED, offline),
        ("routing", 0, SELF, Some(Content::Routing(RoutingCategory::blocked()))),
    ];
    let mut missing = Vec::new();
    for (name, instance, container, content) in rows {
        // What the user has of that name in that container is the user's own.
        let has = own.categories().any(|held| held.name == name && held.container == container);
        if let (Some(content), false) = (content, has) {
            missing.push(CategoryInstance {
                expire_type: ExpireType::Static,
                ..CategoryInstance::new(name, instance, container, content)
            });
        }
    }
    missing
}

/// Containers by what people call them.
const SELF: u16 = 1;
const EXTERNAL: u16 = 100;
const COLLEAGUES: u16 = 200;
const BLOCKED: u16 = 32000;
/// Those who are blocked see somebody who is never there.
const OFFLINE: u32 = 18500;
const CALENDAR: &str = "<calendarData xmlns=\"http://schemas.microsoft.com/2006/09/sip/calendarData\"/>";
