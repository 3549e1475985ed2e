//! One call of a service, and what becomes of it.

use core::time::Duration;
use std::time::Instant;

use sip_lync::SipUri;

use super::mailbox::{self, MailCall};
use super::{Applications, Media, Notice};
use crate::frontend::{AudioMember, AudioStatus, FlowId};
use crate::user::{Event, LyncUser};

/// What a call is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Mixing(Member),
    Mail(MailCall),
}

/// A member of a conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) conference: String,
    pub(super) user: String,
    display: Option<String>,
    /// Whether the roster knows it.
    told: bool,
}

impl Purpose {
    pub(super) fn mixing(conference: &str) -> Self {
        Self::calling(conference, "")
    }

    pub(super) fn calling(conference: &str, user: &str) -> Self {
        let (conference, user) = (conference.to_owned(), user.to_owned());
        Self::Mixing(Member { conference, user, display: None, told: false })
    }

    pub(super) fn mail(service: &SipUri) -> Self {
        Self::Mail(MailCall::new(service))
    }

    /// What the other side sees as the caller's name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Mixing(_) => "Conference",
            Self::Mail(_) => "Voice mail",
        }
    }
}

/// A call.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) user: LyncUser,
    pub(super) purpose: Purpose,
    /// When it is hung up.
    pub(super) limit: Option<Instant>,
    /// When its connection goes: its last transactions are over by then.
    pub(super) forget: Option<Instant>,
}

impl Leg {
    pub(super) fn new(user: LyncUser, purpose: Purpose) -> Self {
        Self { user, purpose, limit: None, forget: None }
    }
}

impl Applications {
    /// Carries on what happened to a call.
    pub(super) fn happened(&mut self, now: Instant, flow: FlowId) {
        while let Some(event) = self.legs.get_mut(&flow).and_then(|leg| leg.user.poll_event()) {
            match event {
                Event::Incoming { from, name, .. } => self.incoming(now, flow, &from, name),
                Event::Connected { .. } => self.connected(now, flow),
                Event::Released { .. } => {
                    self.member(flow, AudioStatus::Gone);
                    if let Some(leg) = self.legs.get_mut(&flow) {
                        leg.limit = None;
                        leg.forget = Some(now + LINGER);
                    }
                }
                _ => {}
            }
        }
        let Some(leg) = self.legs.get_mut(&flow) else { return };
        while let Some(plan) = leg.user.poll_media() {
            let media = match &leg.purpose {
                Purpose::Mixing(member) => Media::Mix { conference: member.conference.clone(), plan },
                Purpose::Mail(_) => Media::Alone(plan),
            };
            self.media.push_back((flow, media));
        }
    }

    /// A call comes: a service answers at once.
    fn incoming(&mut self, now: Instant, flow: FlowId, from: &str, name: Option<String>) {
        let Some(leg) = self.legs.get_mut(&flow) else { return };
        match &mut leg.purpose {
            Purpose::Mixing(member) => {
                member.user = SipUri::parse(from)
                    .map_or_else(|_| from.to_owned(), |from| from.address_of_record().to_string());
                member.display = name;
            }
            Purpose::Mail(call) => call.from(from),
        }
        // What cannot be answered is refused by that.
        let _ = leg.user.answer(now);
    }

    fn connected(&mut self, now: Instant, flow: FlowId) {
        self.member(flow, AudioStatus::Connected);
        let Some(leg) = self.legs.get_mut(&flow) else { return };
        if let Purpose::Mail(call) = &mut leg.purpose {
            let said = match self.mailboxes.get(&call.owner).filter(|_| call.listens) {
                Some(mailbox) => mailbox.read_out(),
                None if call.listens => mailbox::nothing(),
                None => mailbox::beep(),
            };
            leg.limit = (!call.listens).then(|| now + self.config.longest_message);
            self.media.push_back((flow, Media::Say(said)));
        }
    }

    /// Tells where a member of a conference stands.
    pub(super) fn member(&mut self, flow: FlowId, status: AudioStatus) {
        let Some(Leg { purpose: Purpose::Mixing(member), .. }) = self.legs.get_mut(&flow) else { return };
        if status == AudioStatus::Gone && !core::mem::replace(&mut member.told, false) {
            return;
        }
        member.told = status != AudioStatus::Gone;
        let told = AudioMember {
            user: member.user.clone(),
            display: member.display.clone(),
            endpoint: format!("{{{:08X}}}", flow.0),
            status,
        };
        self.notices.push_back(Notice::Member { conference: member.conference.clone(), member: told });
    }
}

/// Timer F: how long the last transaction of a call may take (RFC 3261 17.1.2.2).
const LINGER: Duration = Duration::from_secs(32);
