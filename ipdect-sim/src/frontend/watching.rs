//! What watchers see: contact lists, and the state that the front end makes of what a user's endpoints published.

use core::fmt::Write;
use std::collections::BTreeSet;
use std::time::Instant;

use bytes::Bytes;
use presence_pidf::category::{CategoryInstance, Content, StateKind};
use sip_lync::SipUri;

use super::{FrontEnd, address};

/// The users that a subscription to presence names: the addresses of its list, or the one it was sent to.
pub(super) fn wanted(body: &[u8], target: &str) -> Result<BTreeSet<String>, &'static str> {
    let text = core::str::from_utf8(body).map_err(|_| "the list of addresses is no text")?;
    if text.trim().is_empty() {
        return Ok(BTreeSet::from([target.to_owned()]));
    }
    let mut users = BTreeSet::new();
    for resource in text.split("<resource").skip(1).take(RESOURCES) {
        let uri = resource.split('>').next().and_then(|tag| {
            let value = tag.split_once("uri=")?.1;
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            value.get(1..)?.split(quote).next()
        });
        let uri = uri.and_then(|uri| SipUri::parse(uri).ok()).ok_or("a resource has no SIP address")?;
        users.insert(address::user_key(&uri));
    }
    Ok(users)
}

/// A contact list of one group.
pub(super) fn contact_list(contacts: &[SipUri]) -> Bytes {
    let mut text = String::from("<contactList deltaNum=\"1\"><group id=\"1\" name=\"~\" externalURI=\"\"/>");
    for contact in contacts {
        let uri = address::user_key(contact);
        let _ = write!(
            text,
            "<contact uri=\"{uri}\" name=\"\" groups=\"1\" subscribed=\"true\" externalURI=\"\"/>"
        );
    }
    text.push_str("</contactList>");
    Bytes::from(text)
}

impl FrontEnd {
    /// The state of a user as a watcher gets it.
    pub(super) fn watched_state(&mut self, now: Instant, user: &str) -> Bytes {
        let time = presence_pidf::date_time(self.wall_clock(now));
        let state = aggregated(self.publications.of_user(user));
        let activity =
            state.activity.map(|token| format!("<activity token=\"{token}\"/>")).unwrap_or_default();
        Bytes::from(format!(
            "<categories xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\" uri=\"sip:{user}\"><category name=\"state\" instance=\"1\" publishTime=\"{time}\"><state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"aggregateState\"><availability>{}</availability>{activity}</state></category></categories>",
            state.availability
        ))
    }
}

/// What a watcher is told of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Aggregated<'a> {
    availability: u32,
    activity: Option<&'a str>,
}

/// The most active machine counts; a call makes it busy, busy and idle with an idle machine; what the user chose by hand
/// stands above both where it is do-not-disturb or less reachable (a model of the server's script, not the script).
fn aggregated<'a>(publications: impl Iterator<Item = &'a CategoryInstance>) -> Aggregated<'a> {
    let (mut machine, mut phone, mut chosen) = (None::<u32>, None::<u32>, None::<u32>);
    let mut activities = Vec::new();
    for publication in publications.filter(|publication| publication.container == 2) {
        let Content::State(state) = &publication.content else { continue };
        let Some(availability) = state.availability else { continue };
        match state.kind {
            StateKind::Machine => machine = Some(machine.map_or(availability, |m| m.min(availability))),
            StateKind::Phone | StateKind::Calendar => {
                phone = Some(phone.map_or(availability, |p| p.max(availability)));
                activities.extend(&state.activities);
            }
            StateKind::User if state.manual => chosen = Some(availability),
            _ => {}
        }
    }
    let Some(machine) = machine else { return Aggregated { availability: OFFLINE, activity: None } };
    let base = chosen.filter(|chosen| *chosen > AVAILABLE).unwrap_or(machine);
    let availability = match phone {
        _ if chosen.is_some_and(|chosen| chosen >= DO_NOT_DISTURB) => base,
        Some(phone) if machine < IDLE => phone.max(base),
        Some(phone) => phone.saturating_add(1000),
        None => base,
    };
    let activity = activities.into_iter().find(|activity| activity.counts_at(availability));
    Aggregated { availability, activity: activity.and_then(|activity| activity.token.as_deref()) }
}

const AVAILABLE: u32 = 4499;
const IDLE: u32 = 4500;
const DO_NOT_DISTURB: u32 = 9000;
const OFFLINE: u32 = 18500;
/// Addresses in one list.
const RESOURCES: usize = 1000;

#[cfg(test)]
mod tests {
    use presence_pidf::Activity;
    use presence_pidf::category::StateCategory;

    use super::*;

    fn state(instance: u32, state: StateCategory) -> CategoryInstance {
        CategoryInstance::state(instance, 2, state)
    }

    #[test]
    fn the_most_active_machine_counts_and_a_call_makes_it_busy() {
        let idle = state(1, StateCategory::machine(15500));
        let active = state(2, StateCategory::machine(3500));
        let call = state(3, StateCategory::phone(6500, Activity::OnThePhone));
        let of = |list: &[&CategoryInstance]| aggregated(list.iter().copied()).availability;
        assert_eq!(of(&[]), 18500);
        assert_eq!(of(&[&idle]), 15500);
        assert_eq!(of(&[&idle, &active]), 3500);
        assert_eq!(of(&[&active, &call]), 6500);
        assert_eq!(of(&[&idle, &call]), 7500);
        assert_eq!(of(&[&active, &call, &state(4, StateCategory::user(9500))]), 9500);
        let both = [&active, &call];
        assert_eq!(aggregated(both.into_iter()).activity, Some("on-the-phone"));
    }

    #[test]
    fn a_list_names_whom_to_watch() {
        let body = b"<batchSub><action><adhocList><resource uri=\"sip:Bob@Lab.test\"/><resource uri='sip:c@d'><context/></resource></adhocList></action></batchSub>";
        let wanted = wanted(body, "a@b").expect("a list");
        assert_eq!(wanted, BTreeSet::from(["bob@lab.test".to_owned(), "c@d".to_owned()]));
        assert_eq!(super::wanted(b"", "a@b"), Ok(BTreeSet::from(["a@b".to_owned()])));
        assert!(super::wanted(b"<resource uri=\"\"/>", "a@b").is_err());
    }
}
