//! A second link with the identity of a portable part that has one: whoever comes has to prove the key before the
//! first link and its calls are given up.

use bytes::Bytes;
use std::time::Instant;

use super::event::{Event, PortableId};
use super::security::Challenge;
use super::{FixedPart, Timer, compose};
use crate::authentication::{CipherKey, Key128, equal};
use crate::element::RejectReason;
use crate::lce::fixed::Trigger;
use crate::link::{LinkId, ReleaseMode};
use crate::message::{MessageType, View};
use crate::outbox::Outgoing;
use crate::timers;

/// How many messages wait for the proof.
const WAITING: usize = 4;

/// A link on which somebody shows the identity of a portable part that has another link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contest {
    portable: PortableId,
    challenge: Challenge,
    /// What came over the link so far, for the time after the proof.
    messages: Vec<Bytes>,
}

impl FixedPart {
    /// Whether the portable part has a link that a stranger must not take from it. Without a key nobody can be told
    /// from anybody else.
    pub(super) fn is_taken(&self, portable: PortableId, link: LinkId) -> bool {
        self.table.get(portable).is_some_and(|entry| {
            entry.lce.is_linked() && entry.uak.is_some() && entry.link.is_some_and(|current| current != link)
        })
    }

    /// Asks for the proof; the first message waits for it.
    pub(super) fn contest(&mut self, now: Instant, portable: PortableId, link: LinkId, sdu: &[u8]) {
        let algorithm = self.algorithm(portable);
        let rand_f = self.generator.octets();
        let rs = algorithm.session_value(&mut self.generator);
        let challenge = Challenge { algorithm, rand_f, rs };
        self.outbox.push(Outgoing::Data(
            link,
            compose::authentication_request(&challenge, compose::Extras::default()),
        ));
        self.deadlines.start(Timer::LinkIdle(link), now + timers::MM_AUTH_1);
        let messages = vec![Bytes::copy_from_slice(sdu)];
        self.contests.insert(link, Contest { portable, challenge, messages });
    }

    /// A message over a link that waits for its proof.
    pub(super) fn contested(&mut self, now: Instant, link: LinkId, sdu: &[u8], message: &View<'_>) {
        let answer = message.transaction.flag;
        match message.message_type {
            MessageType::AuthenticationReply if answer => {}
            MessageType::AuthenticationReject if answer => return self.give_up_contest(link),
            _ => {
                if let Some(contest) = self.contests.get_mut(&link)
                    && contest.messages.len() < WAITING
                {
                    contest.messages.push(Bytes::copy_from_slice(sdu));
                }
                return;
            }
        }
        let Some(contest) = self.contests.remove(&link) else { return };
        let portable = contest.portable;
        let derived = Self::proof(message)
            .and_then(|(rand_p, res1)| self.proven(portable, &contest.challenge, rand_p, res1));
        let Some(derived) = derived else {
            self.events.push_back(Event::AuthenticationFailed { portable });
            self.give_up_contest(link);
            return;
        };
        // With its answer the portable part has this key: what follows from the new link must not use the one before.
        if let Some(entry) = self.table.get_mut(portable) {
            entry.cipher_key = Some(derived);
        }
        self.adopt(now, portable, link, Trigger::Establishment);
        for sdu in contest.messages {
            // A broken message was refused when it came.
            let _ = self.link_data(now, link, &sdu);
        }
    }

    /// Nobody proved anything: the link goes, the other one stays.
    pub(super) fn give_up_contest(&mut self, link: LinkId) {
        self.contests.remove(&link);
        if let Some(None) = self.links.get(&link) {
            self.links.remove(&link);
            self.drop_unidentified(link);
            self.outbox.push(Outgoing::Release(link, ReleaseMode::Abnormal));
        }
    }

    /// A subscription over a second link waits until the first is gone: its keys are not there to be proven.
    pub(super) fn refuse_second_subscription(&mut self, link: LinkId) {
        self.outbox.push(Outgoing::Data(
            link,
            compose::access_reject(RejectReason::Overload, self.config.refusal_wait),
        ));
    }

    /// The cipher key derived with a right answer to a challenge.
    fn proven(
        &mut self,
        portable: PortableId,
        challenge: &Challenge,
        rand_p: [u8; 8],
        res1: [u8; 4],
    ) -> Option<CipherKey> {
        let entry = self.table.get_mut(portable)?;
        let proof = |key: &Key128| {
            challenge
                .algorithm
                .portable_proof(&key.b1(), challenge.rs, challenge.rand_f, rand_p)
                .filter(|(expected, _)| equal(expected, &res1))
                .map(|(_, derived)| derived)
        };
        if let Some(derived) = entry.uak.as_ref().and_then(proof) {
            return Some(derived);
        }
        // The portable part lost its link in the middle of a key allocation: the key before it is valid again.
        let derived = entry.former_uak.as_ref().and_then(proof)?;
        let uak = entry.former_uak.take()?;
        let (ipui, dsaa2) = (entry.ipui, entry.dsaa2);
        entry.uak = Some(uak.clone());
        self.events.push_back(Event::Subscribed { portable, ipui, uak, dsaa2 });
        Some(derived)
    }
}
