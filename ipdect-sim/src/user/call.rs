//! The one call of a simulated user: offer and answer, hold, media.

use std::time::Instant;

use bytes::Bytes;
use sip_lync::{ForkId, Invite, Rendering, SessionId, StatusCode, Uri};
use srtp_sdes::{Agreed, Offered};

use super::description::{self, Answer, Described};
use super::event::end;
use super::ice::Ice;
use super::{CallNumber, Error, Event, LyncUser, MediaPlan, Side};
use crate::talk::{Encoding, Flow, TalkPlan};

/// Where the call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// We called; no final answer yet.
    Dialling,
    /// It rings here.
    RingingHere,
    /// We answered and wait for the ACK.
    Answering,
    Talking,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) number: CallNumber,
    pub(super) session: SessionId,
    stage: Stage,
    /// The offer that came with the INVITE and waits for our answer.
    their_offer: Option<Bytes>,
    /// Our offer that waits for its answer, and what it says of the ways.
    our_offer: Option<(Offered, Flow)>,
    /// The answer that was applied; early answers of forks are replaced.
    agreed: Option<Agreed>,
    remote: Option<Described>,
    /// The synchronisation source of our packets, announced in our descriptions.
    ssrc: u32,
    version: u64,
    held_by_us: bool,
    held_by_them: bool,
    /// Whether our hold (true) or retrieve (false) waits for its answer.
    pub(super) changing: Option<bool>,
    /// The answer to the offer that was taken last.
    answer: Option<Answer>,
    pub(super) ice: Ice,
}

/// What a call is made for, beside its target.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Header fields of the INVITE.
    pub(super) headers: Vec<(String, String)>,
    /// The call whose peer asked for this one.
    pub(super) by: Option<SessionId>,
}

impl Call {
    /// A call that rings here.
    pub(super) fn ringing(number: CallNumber, session: SessionId, ssrc: u32, offer: Option<Bytes>) -> Self {
        let mut call = Self::new(number, session, Stage::RingingHere, ssrc);
        call.their_offer = offer;
        call
    }

    fn new(number: CallNumber, session: SessionId, stage: Stage, ssrc: u32) -> Self {
        Self {
            number,
            session,
            stage,
            their_offer: None,
            our_offer: None,
            agreed: None,
            remote: None,
            ssrc: ssrc.clamp(1, 0xffff_ff00),
            version: 0,
            held_by_us: false,
            held_by_them: false,
            changing: None,
            answer: None,
            ice: Ice::default(),
        }
    }

    pub(super) fn is_talking(&self) -> bool {
        self.stage == Stage::Talking
    }

    pub(super) fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    pub(super) fn is_free_to_offer(&self) -> bool {
        self.is_talking() && self.our_offer.is_none() && self.changing.is_none() && !self.held_by_us
    }

    pub(super) fn withdraw_offer(&mut self) {
        self.our_offer = None;
    }

    pub(super) fn remote(&self) -> Option<&Described> {
        self.remote.as_ref()
    }

    pub(super) fn is_ringing_here(&self) -> bool {
        self.stage == Stage::RingingHere
    }
}

impl LyncUser {
    pub(super) fn begin_call(
        &mut self,
        now: Instant,
        target: Uri,
        asked: Asked,
    ) -> Result<CallNumber, Error> {
        let offered = Offered::new(&self.config.srtp, srtp_sdes::Seed(self.random.octets()));
        let ssrc = self.random.number().clamp(1, 0xffff_ff00);
        let ice = self.offer_ice(now);
        let body = description::offer(&self.config, &offered, Flow::Both, ssrc, 0, ice.as_ref());
        let mut invite = Invite::new(target, body);
        invite.headers = asked.headers;
        invite.transfer = asked.by;
        let session = self.endpoint.invite(now, self.user, invite)?;
        self.calls += 1;
        let number = CallNumber(self.calls);
        let mut call = Call::new(number, session, Stage::Dialling, ssrc);
        call.our_offer = Some((offered, Flow::Both));
        call.ice.stream = ice;
        self.call = Some(call);
        Ok(number)
    }

    pub(super) fn answer_call(&mut self, now: Instant) -> Result<(), Error> {
        let call = self.call.as_mut().ok_or(Error::NoCall)?;
        if call.stage != Stage::RingingHere {
            return Err(Error::WrongState("it does not ring here"));
        }
        let session = call.session;
        let body = if call.answer.is_some() {
            // The 200 repeats what was said early.
            self.answer_body().map_err(Error::WrongState)?
        } else if let Some(offer) = call.their_offer.take() {
            match self.take_offer(now, offer).and_then(|()| self.answer_body()) {
                Ok(body) => body,
                Err(reason) => {
                    self.endpoint.reject(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
                    return Err(Error::WrongState(reason));
                }
            }
        } else {
            let stream = self.offer_ice(now);
            if let Some(call) = &mut self.call {
                call.ice.stream = stream;
            }
            self.offer_again(Flow::Both)
        };
        self.endpoint.answer(now, session, body);
        if let Some(call) = &mut self.call {
            call.stage = Stage::Answering;
        }
        Ok(())
    }

    /// The answer before the call is answered, if this user gives one.
    fn early_answer(&mut self, now: Instant) -> Option<Bytes> {
        if !self.config.early_media {
            return None;
        }
        let offer = self.call.as_mut()?.their_offer.take()?;
        // An offer that cannot be answered is refused when the user answers.
        self.take_offer(now, offer).and_then(|()| self.answer_body()).ok()
    }

    pub(super) fn change(&mut self, now: Instant, hold: bool) -> Result<(), Error> {
        let call = self.call.as_mut().ok_or(Error::NoCall)?;
        if call.stage != Stage::Talking || call.changing.is_some() {
            return Err(Error::WrongState("the call is not established, or is being changed"));
        }
        if call.held_by_us == hold {
            return Err(Error::WrongState(if hold { "it is held already" } else { "it is not held" }));
        }
        if call.ice.offering {
            // One offer at a time.
            call.ice.wanted = Some(hold);
            return Ok(());
        }
        let session = call.session;
        let (flow, rendering) = if hold { (Flow::None, Rendering::No) } else { (Flow::Both, Rendering::Yes) };
        let body = self.offer_again(flow);
        self.endpoint.reoffer(now, session, body, rendering)?;
        if let Some(call) = &mut self.call {
            call.changing = Some(hold);
        }
        Ok(())
    }

    pub(super) fn call_event(&mut self, now: Instant, event: sip_lync::Event) {
        use sip_lync::Event as E;
        match event {
            E::Incoming { session, description, replaces: Some(old), .. } if self.is_call(old) => {
                self.replaced(now, session, description);
            }
            E::TransferRequested { session, target, headers } if self.is_call(session) => {
                self.transfer_requested(now, session, target, headers);
            }
            E::Transferred { session, status } | E::TransferRefused { session, status }
                if self.is_call(session) =>
            {
                self.transferred(now, session, status);
            }
            E::Incoming { session, from, description, .. } => {
                if self.call.is_some() {
                    self.endpoint.reject(now, session, StatusCode::BUSY_HERE);
                    return;
                }
                self.calls += 1;
                let number = CallNumber(self.calls);
                self.call = Some(Call::ringing(number, session, self.random.number(), description));
                let early = self.early_answer(now);
                self.endpoint.ring(now, session, early);
                self.events.push_back(Event::Incoming {
                    call: number,
                    from: from.uri.to_string(),
                    name: from.display,
                });
            }
            E::Progress { session, fork, status, description } if self.is_call(session) => {
                if let Some(call) = &self.call
                    && status.code() >= 180
                {
                    self.events.push_back(Event::Ringing { call: call.number, status: status.code() });
                }
                if let Some(answer) = description {
                    // An early answer of a fork that we cannot use is no reason to end the call.
                    let _ = self.apply_answer(now, fork, &answer, false);
                }
            }
            E::Answered { session, fork, description, answer_due, .. } if self.is_call(session) => {
                let applied = match (description, answer_due) {
                    (Some(answer), false) => self.apply_answer(now, fork, &answer, true),
                    _ => Err("the answer has no description"),
                };
                self.established(now, session, applied);
            }
            E::Confirmed { session, description } if self.is_call(session) => {
                let applied = match description {
                    Some(answer) => self.apply_answer(now, ForkId(0), &answer, true),
                    None => Ok(()),
                };
                if self.call.as_ref().is_some_and(|call| call.stage == Stage::Answering) {
                    self.established(now, session, applied);
                }
            }
            E::Reoffered { session, description, .. } if self.is_call(session) => {
                self.reoffered(now, session, description);
            }
            E::ReofferAnswered { session, description } if self.is_call(session) => {
                let applied =
                    description.map_or(Ok(()), |answer| self.apply_answer(now, ForkId(0), &answer, true));
                match applied {
                    Ok(()) if self.last_offer_over(now) => {}
                    Ok(()) => self.changed(),
                    Err(_) => self.endpoint.hang_up(now, session),
                }
            }
            E::ReofferRefused { session, status } if self.is_call(session) => {
                if let Some(call) = &mut self.call {
                    call.our_offer = None;
                }
                if self.last_offer_over(now) {
                    return;
                }
                if let Some(call) = &mut self.call {
                    call.changing = None;
                    let status = status.map_or(408, StatusCode::code);
                    self.events.push_back(Event::ChangeRefused { call: call.number, status });
                }
            }
            E::Failed { session, failure } if self.is_call(session) => {
                self.released(failure.status.map(StatusCode::code), failure.reason);
                self.leave(now);
            }
            E::Ended { session, reason, .. } if self.is_call(session) => {
                self.released(None, end(reason).to_owned());
            }
            _ => {}
        }
    }

    fn is_call(&self, session: SessionId) -> bool {
        self.call.as_ref().is_some_and(|call| call.session == session)
    }

    fn established(&mut self, now: Instant, session: SessionId, applied: Result<(), &'static str>) {
        match applied {
            Ok(()) => {
                if let Some(call) = &mut self.call {
                    call.stage = Stage::Talking;
                    self.events.push_back(Event::Connected { call: call.number });
                }
            }
            Err(_) => self.endpoint.hang_up(now, session),
        }
    }

    /// Answers an offer inside the call: hold, retrieve, or another address.
    fn reoffered(&mut self, now: Instant, session: SessionId, offer: Option<Bytes>) {
        let Some(offer) = offer else {
            let flow =
                if self.call.as_ref().is_some_and(|call| call.held_by_us) { Flow::None } else { Flow::Both };
            let body = self.offer_again(flow);
            self.endpoint.answer_reoffer(now, session, body);
            return;
        };
        match self.take_offer(now, offer) {
            Ok(()) => {
                if !self.call.as_ref().is_some_and(|call| call.ice.settling) {
                    self.answer_reoffer(now, session);
                }
                self.report_hold_by_them();
            }
            Err(_) => self.endpoint.reject_reoffer(now, session, StatusCode::NOT_ACCEPTABLE_HERE),
        }
    }

    pub(super) fn answer_reoffer(&mut self, now: Instant, session: SessionId) {
        match self.answer_body() {
            Ok(body) => self.endpoint.answer_reoffer(now, session, body),
            Err(_) => self.endpoint.reject_reoffer(now, session, StatusCode::NOT_ACCEPTABLE_HERE),
        }
    }

    fn report_hold_by_them(&mut self) {
        let Some(call) = &mut self.call else { return };
        let held = call.remote.as_ref().is_some_and(|remote| !remote.flow.sends());
        if held != call.held_by_them {
            call.held_by_them = held;
            let (call, by) = (call.number, Side::Them);
            self.events.push_back(if held {
                Event::Held { call, by }
            } else {
                Event::Retrieved { call, by }
            });
        }
    }

    fn changed(&mut self) {
        let Some(call) = &mut self.call else { return };
        let Some(hold) = call.changing.take() else { return };
        call.held_by_us = hold;
        let (call, by) = (call.number, Side::Us);
        self.events.push_back(if hold { Event::Held { call, by } } else { Event::Retrieved { call, by } });
    }

    /// A new offer in a call: the same keys, other ways.
    pub(super) fn offer_again(&mut self, flow: Flow) -> Bytes {
        let seed = srtp_sdes::Seed(self.random.octets());
        let Some(call) = &mut self.call else { return Bytes::new() };
        let offered = match &call.agreed {
            Some(agreed) => Offered::again(&self.config.srtp, agreed, seed),
            None => Offered::new(&self.config.srtp, seed),
        };
        call.version += 1;
        let ice = call.ice.stream.as_ref();
        let body = description::offer(&self.config, &offered, flow, call.ssrc, call.version, ice);
        call.our_offer = Some((offered, flow));
        body
    }

    /// Takes an offer; media follows it at once.
    fn take_offer(&mut self, now: Instant, offer: Bytes) -> Result<(), &'static str> {
        let seed = srtp_sdes::Seed(self.random.octets());
        let Some(call) = &mut self.call else { return Err("there is no call") };
        let described = description::read(&offer, &self.config.encodings)?;
        let lines: Vec<&str> = described.crypto.iter().map(String::as_str).collect();
        let before = call.agreed.as_ref().unwrap_or(&Agreed::Clear);
        let answered = srtp_sdes::answer_again(&self.config.srtp, before, described.profile, &lines, seed)
            .map_err(|_| "the SRTP policies of both sides do not fit")?;
        let flow = if call.held_by_us { Flow::None } else { described.flow };
        call.version += 1;
        call.answer = Some(Answer {
            offer,
            profile: answered.profile,
            crypto: answered.attribute,
            flow,
            ssrc: call.ssrc,
            version: call.version,
        });
        self.take_ice_offer(now, &described)?;
        self.media(described, answered.agreed, flow);
        Ok(())
    }

    /// Our answer to the offer that was taken.
    fn answer_body(&self) -> Result<Bytes, &'static str> {
        let call = self.call.as_ref().ok_or("there is no call")?;
        let answer = call.answer.as_ref().ok_or("there is no offer")?;
        answer.body(&self.config, call.ice.stream.as_ref())
    }

    /// An answer to our offer. A final one settles the offer, an early one leaves it for other forks.
    fn apply_answer(
        &mut self,
        now: Instant,
        fork: ForkId,
        answer: &[u8],
        settles: bool,
    ) -> Result<(), &'static str> {
        let Some(call) = &mut self.call else { return Err("there is no call") };
        let Some((offered, flow)) = call.our_offer.clone() else { return Ok(()) };
        let described = description::read(answer, &self.config.encodings)?;
        let lines: Vec<&str> = described.crypto.iter().map(String::as_str).collect();
        let agreed = offered
            .answer(described.profile, &lines)
            .map_err(|_| "the SRTP policies of both sides do not fit")?;
        if settles {
            call.our_offer = None;
        }
        let flow = both(flow, described.flow);
        self.take_ice_answer(now, fork, &described, settles)?;
        self.media(described, agreed, flow);
        Ok(())
    }

    /// Starts media, or changes it where the keys are the same.
    fn media(&mut self, described: Described, agreed: Agreed, flow: Flow) {
        let Some(call) = &mut self.call else { return };
        let same = call.agreed.as_ref() == Some(&agreed)
            && call.remote.as_ref().is_some_and(|remote| {
                remote.payload_type == described.payload_type && remote.encoding == described.encoding
            });
        let number = call.number;
        call.ice.flow = Some(flow);
        let (allowed, remote) = call.ice.allowed(flow, described.rtp);
        self.events.push_back(Event::Media {
            call: number,
            srtp: agreed.is_protected(),
            suite: agreed.suite_name().map(str::to_owned),
            mki: agreed.mki().and_then(srtp_sdes::MasterKeyIdentifier::value),
            lifetime: lifetime(&agreed),
            encoding: match described.encoding {
                Encoding::Pcma => "PCMA",
                Encoding::Pcmu => "PCMU",
                Encoding::G726(_) => "AAL2-G726-32",
            },
            direction: description::direction_token(flow),
            remote,
        });
        if same {
            self.media.push_back(MediaPlan::Change { call: number, flow: allowed, remote });
        } else {
            let keys = match &agreed {
                Agreed::Clear => None,
                Agreed::Protected { sender, receiver, .. } => Some((sender.clone(), receiver.clone())),
            };
            let plan = TalkPlan {
                encoding: described.encoding,
                payload_type: described.payload_type,
                ssrc: call.ssrc,
                keys,
                flow: allowed,
                first_sequence: (self.random.number() & 0x7fff) as u16,
                first_timestamp: self.random.number(),
            };
            self.media.push_back(MediaPlan::Start { call: number, plan: Box::new(plan), remote });
        }
        call.agreed = Some(agreed);
        call.remote = Some(described);
    }

    pub(super) fn released(&mut self, status: Option<u16>, reason: String) {
        let Some(call) = self.call.take() else { return };
        if call.agreed.is_some() {
            self.media.push_back(MediaPlan::Stop { call: call.number });
        }
        let reason = call.ice.failure.map_or(reason, |failure| failure.to_string());
        self.events.push_back(Event::Released { call: call.number, status, reason });
    }
}

fn both(ours: Flow, theirs: Flow) -> Flow {
    match (ours.sends() && theirs.sends(), ours.receives() && theirs.receives()) {
        (true, true) => Flow::Both,
        (true, false) => Flow::Sending,
        (false, true) => Flow::Receiving,
        (false, false) => Flow::None,
    }
}

/// The life of our key, in the words of the crypto line.
fn lifetime(agreed: &Agreed) -> Option<String> {
    match agreed {
        Agreed::Clear => None,
        Agreed::Protected { local, .. } => local.keys.first()?.lifetime.as_ref().map(ToString::to_string),
    }
}
