//! The mail boxes: messages of callers, and what their owner hears.

use std::time::Instant;

use sip_lync::SipUri;

use super::leg::Purpose;
use super::{Applications, Notice};
use crate::frontend::FlowId;

/// A call with voice mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailCall {
    /// Whose mail box: `user@domain`.
    pub(super) owner: String,
    /// The owner calls: it hears its messages. Others leave one.
    pub(super) listens: bool,
    from: String,
}

impl MailCall {
    pub(super) fn new(service: &SipUri) -> Self {
        Self { owner: key(service), listens: false, from: String::new() }
    }

    /// Who calls is known.
    pub(super) fn from(&mut self, from: &str) {
        self.listens = SipUri::parse(from).is_ok_and(|from| key(&from) == self.owner);
        from.clone_into(&mut self.from);
    }
}

fn key(uri: &SipUri) -> String {
    format!("{}@{}", uri.user().unwrap_or_default(), uri.host()).to_ascii_lowercase()
}

/// A voice message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    from: String,
    samples: Vec<i16>,
    heard: bool,
}

/// The messages of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    messages: Vec<Message>,
}

impl Mailbox {
    /// What the owner hears: the new messages, each behind a beep.
    pub(super) fn read_out(&self) -> Vec<i16> {
        let new: Vec<&Message> = self.messages.iter().filter(|message| !message.heard).collect();
        if new.is_empty() {
            return nothing();
        }
        let mut said = Vec::new();
        for message in new {
            said.extend(beep());
            said.extend_from_slice(&message.samples);
        }
        said.extend(beep());
        said
    }

    fn counts(&self) -> (u32, u32) {
        let heard = self.messages.iter().filter(|message| message.heard).count();
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        (count(self.messages.len() - heard), count(heard))
    }
}

/// A pause and the tone after which one speaks.
pub(super) fn beep() -> Vec<i16> {
    let mut said = vec![0; PAUSE];
    said.extend(tone(BEEP_HERTZ, BEEP));
    said
}

/// What is heard where no message waits.
pub(super) fn nothing() -> Vec<i16> {
    let mut said = vec![0; PAUSE];
    said.extend(tone(BEEP_HERTZ / 2.0, BEEP));
    said.extend([0; PAUSE]);
    said
}

fn tone(hertz: f64, samples: usize) -> impl Iterator<Item = i16> {
    (0..samples).map(move |n| (LOUD * (core::f64::consts::TAU * hertz * n as f64 / 8000.0).sin()) as i16)
}

impl Applications {
    /// All that was to be said to a caller has been sent.
    ///
    /// README.md, section "Voice mail"
    pub fn spoken(&mut self, now: Instant, flow: FlowId) {
        let Some(leg) = self.legs.get_mut(&flow) else { return };
        let Purpose::Mail(call) = &leg.purpose else { return };
        if !call.listens {
            return;
        }
        let owner = call.owner.clone();
        leg.user.hang_up(now);
        if let Some(mailbox) = self.mailboxes.get_mut(&owner)
            && mailbox.counts().0 > 0
        {
            for message in &mut mailbox.messages {
                message.heard = true;
            }
            self.count(&owner);
        }
        self.happened(now, flow);
    }

    /// A stream ended, and this was heard: a message, unless the owner called.
    ///
    /// README.md, section "Voice mail"
    pub fn recorded(&mut self, flow: FlowId, samples: Vec<i16>) {
        let Some(leg) = self.legs.get(&flow) else { return };
        let Purpose::Mail(call) = &leg.purpose else { return };
        if call.listens || samples.len() < SHORTEST {
            return;
        }
        let MailCall { owner, from, .. } = call.clone();
        let mailbox = self.mailboxes.entry(owner.clone()).or_default();
        mailbox.messages.push(Message { from, samples, heard: false });
        if mailbox.messages.len() > MESSAGES {
            mailbox.messages.remove(0);
        }
        self.count(&owner);
    }

    fn count(&mut self, owner: &str) {
        let (new, old) = self.mailboxes.get(owner).map(Mailbox::counts).unwrap_or_default();
        self.notices.push_back(Notice::Mailbox { user: owner.to_owned(), new, old });
    }

    /// The callers who left messages that are still in a mail box.
    ///
    /// README.md, section "Voice mail"
    pub fn messages(&self, owner: &str) -> Vec<&str> {
        let mailbox = self.mailboxes.get(&owner.to_ascii_lowercase());
        mailbox.into_iter().flat_map(|of| &of.messages).map(|message| message.from.as_str()).collect()
    }
}

/// Samples of the pause before something is said: the other side has to begin to listen.
const PAUSE: usize = 4000;
const BEEP: usize = 3200;
const BEEP_HERTZ: f64 = 1000.0;
const LOUD: f64 = 6000.0;
/// Whoever says less leaves no message.
const SHORTEST: usize = 4000;
/// Messages in one mail box.
const MESSAGES: usize = 100;
