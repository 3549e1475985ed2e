//! One INVITE session and its early dialogs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::early::EarlyOffer;
use super::event::EndReason;
use super::reliable::Reliable;
use super::transfer::Transfers;
use super::vocabulary::{ForkId, Rendering, SessionId, UserId};
use crate::dialog::{Dialog, DialogId};
use crate::flow::FlowId;
use crate::invite::State;
use crate::message::{Request, Response};
use crate::offer_answer::Position;
use crate::session_timer::SessionTimer;
use crate::transaction::{ClientId, ServerId};
use crate::uri::Uri;

/// One of the early dialogs of our INVITE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fork {
    pub(super) id: ForkId,
    pub(super) dialog: Dialog,
    pub(super) position: Position,
    /// The answer that came early.
    pub(super) description: Option<Bytes>,
    /// The last reliable provisional response that was acknowledged.
    pub(super) rseq: Option<u32>,
    pub(super) early: EarlyOffer,
}

/// What reliable provisional responses to our re-INVITE brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReinviteProgress {
    /// The last one that was acknowledged.
    pub(super) rseq: Option<u32>,
    pub(super) description: Option<Bytes>,
    /// The description is an offer, because we made none.
    pub(super) offered: bool,
    /// How many were acknowledged.
    pub(super) count: u16,
}

/// Our 2xx to INVITE while it is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeating {
    pub(super) server: ServerId,
    pub(super) response: Box<Response>,
    pub(super) interval: Duration,
    /// CSeq of the INVITE, and so of its ACK.
    pub(super) cseq: u32,
}

/// One INVITE session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) user: UserId,
    pub(super) flow: FlowId,
    pub(super) state: State,
    /// We made the call: we own its Call-ID.
    pub(super) caller: bool,
    /// Our INVITE without its body, until its final response.
    pub(super) invite: Option<Box<Request>>,
    pub(super) invite_client: Option<ClientId>,
    /// Our re-INVITE.
    pub(super) reinvite_client: Option<ClientId>,
    /// Our INVITE was sent a second time.
    pub(super) retried: bool,
    /// Why we end the session, for Reason of CANCEL and BYE.
    pub(super) cause: Option<Box<str>>,
    /// Where the caller is to try, for Contact of our 3xx.
    pub(super) elsewhere: Vec<Uri>,
    /// The peer's INVITE, re-INVITE or UPDATE that waits for our final response.
    pub(super) pending: Option<ServerId>,
    pub(super) pending_cseq: u32,
    /// Early dialogs of our INVITE, until one of them is confirmed.
    pub(super) forks: Vec<Fork>,
    pub(super) next_fork: u32,
    /// The dialog of the session; that of a callee stands from the beginning.
    pub(super) dialog: Option<Dialog>,
    pub(super) position: Position,
    /// Which early dialog became that of the session.
    pub(super) fork: ForkId,
    /// The offer within the early dialog that became that of the session.
    pub(super) early: EarlyOffer,
    pub(super) reinvite_progress: ReinviteProgress,
    /// CSeq of our INVITE or re-INVITE whose ACK is due.
    pub(super) ack_cseq: u32,
    /// The last ACKs with their CSeq, to be repeated with their 2xx.
    pub(super) acks: Vec<(u32, Box<Request>)>,
    pub(super) repeating: Option<Repeating>,
    /// Our further offer, kept until it is answered.
    pub(super) reoffer: Option<(Bytes, Rendering)>,
    pub(super) rendering: Rendering,
    /// Our last description, for a refresh by re-INVITE.
    pub(super) local_description: Option<Bytes>,
    pub(super) timer: Option<SessionTimer>,
    /// The peer takes UPDATE.
    pub(super) peer_updates: bool,
    pub(super) conversation: Box<str>,
    /// The reason to report instead of a lost flow or of the user's wish.
    pub(super) end_reason: Option<EndReason>,
    pub(super) transfers: Transfers,
    pub(super) reliable: Option<Reliable>,
    /// RSeq of the last reliable provisional response.
    pub(super) last_rseq: u32,
    /// Recoveries since the last success.
    pub(super) recoveries: u8,
    /// The dialog is recovered as soon as the registration is refreshed.
    pub(super) recovering: bool,
    /// How often our re-INVITE met one of the peer.
    pub(super) glares: u8,
    /// How often in a row the session interval was too short.
    pub(super) lengthened: u8,
    /// Reliable provisional responses to our INVITE that were acknowledged.
    pub(super) reliable_responses: u16,
}

impl Session {
    pub(super) fn new(user: UserId, flow: FlowId, state: State, conversation: &str) -> Self {
        Self {
            user,
            flow,
            state,
            caller: state == State::Calling,
            invite: None,
            invite_client: None,
            reinvite_client: None,
            retried: false,
            cause: None,
            elsewhere: Vec::new(),
            pending: None,
            pending_cseq: 0,
            forks: Vec::new(),
            next_fork: 0,
            dialog: None,
            position: Position::None,
            fork: ForkId(0),
            early: EarlyOffer::default(),
            reinvite_progress: ReinviteProgress::default(),
            ack_cseq: 0,
            acks: Vec::new(),
            repeating: None,
            reoffer: None,
            rendering: Rendering::Yes,
            local_description: None,
            timer: None,
            peer_updates: false,
            conversation: conversation.into(),
            end_reason: None,
            transfers: Transfers::default(),
            reliable: None,
            last_rseq: 0,
            recoveries: 0,
            recovering: false,
            glares: 0,
            lengthened: 0,
            reliable_responses: 0,
        }
    }

    /// Whether the call is not answered yet and nobody has given it up: its early dialogs may still agree on something.
    pub(super) const fn rings(&self) -> bool {
        match self.state {
            State::Proceeding | State::Incoming | State::Ringing => true,
            State::Calling
            | State::CancelWaiting
            | State::Cancelling
            | State::AnswerDue
            | State::Answered
            | State::AnsweredEnding
            | State::Established
            | State::Reinviting
            | State::ReinviteBackoff
            | State::Reinvited
            | State::Reanswered
            | State::Updated
            | State::Terminating
            | State::Terminated => false,
        }
    }

    /// Whether we may make an offer: none of either side is open.
    pub(super) fn may_reoffer(&self) -> bool {
        self.state == State::Established && self.position == Position::Agreed
    }

    /// Whether the session has a dialog that another flow could carry on.
    pub(super) const fn is_confirmed(&self) -> bool {
        match self.state {
            State::Established
            | State::Reinviting
            | State::ReinviteBackoff
            | State::Reinvited
            | State::Reanswered
            | State::Updated => true,
            State::Calling
            | State::Proceeding
            | State::CancelWaiting
            | State::Cancelling
            | State::AnswerDue
            | State::Incoming
            | State::Ringing
            | State::Answered
            | State::AnsweredEnding
            | State::Terminating
            | State::Terminated => false,
        }
    }
}

/// All sessions with the indices that lead to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    by_id: BTreeMap<SessionId, Box<Session>>,
    by_dialog: BTreeMap<DialogId, SessionId>,
    by_flow: BTreeSet<(FlowId, SessionId)>,
    /// User, Call-ID and From tag of INVITEs that came: a second one with another branch is a merged request. Two users
    /// of one endpoint may well be called by the branches of one fork.
    by_caller: BTreeMap<(UserId, Box<str>, Box<str>), SessionId>,
    by_server: BTreeMap<ServerId, SessionId>,
    next: u32,
}

impl Sessions {
    pub(super) fn add(&mut self, session: Session) -> SessionId {
        self.next = self.next.wrapping_add(1);
        let id = SessionId(self.next);
        self.by_flow.insert((session.flow, id));
        self.by_id.insert(id, Box::new(session));
        id
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        self.by_id.get(&id).map(|session| &**session)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.by_id.get_mut(&id).map(|session| &mut **session)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<Box<Session>> {
        let session = self.by_id.remove(&id)?;
        self.by_flow.remove(&(session.flow, id));
        for dialog in session.forks.iter().map(|fork| &fork.dialog).chain(session.dialog.as_ref()) {
            self.remove_dialog(dialog.id(), id);
            let caller = (session.user, dialog.id().call_id.clone(), dialog.id().remote_tag.clone());
            if self.by_caller.get(&caller) == Some(&id) {
                self.by_caller.remove(&caller);
            }
        }
        if let Some(server) = session.pending {
            self.by_server.remove(&server);
        }
        if let Some(repeating) = &session.repeating {
            self.by_server.remove(&repeating.server);
        }
        Some(session)
    }

    pub(super) fn add_dialog(&mut self, dialog: DialogId, id: SessionId) {
        self.by_dialog.insert(dialog, id);
    }

    pub(super) fn remove_dialog(&mut self, dialog: &DialogId, id: SessionId) {
        if self.by_dialog.get(dialog) == Some(&id) {
            self.by_dialog.remove(dialog);
        }
    }

    pub(super) fn of_dialog(&self, dialog: &DialogId) -> Option<SessionId> {
        self.by_dialog.get(dialog).copied()
    }

    pub(super) fn add_caller(&mut self, user: UserId, call_id: &str, from_tag: &str, id: SessionId) {
        self.by_caller.insert((user, call_id.into(), from_tag.into()), id);
    }

    pub(super) fn of_caller(&self, user: UserId, call_id: &str, from_tag: &str) -> Option<SessionId> {
        self.by_caller.get(&(user, call_id.into(), from_tag.into())).copied()
    }

    /// The request of the peer that waits for our final response.
    pub(super) fn set_pending(&mut self, id: SessionId, server: ServerId, cseq: u32) {
        if let Some(session) = self.by_id.get_mut(&id) {
            session.pending = Some(server);
            session.pending_cseq = cseq;
            self.by_server.insert(server, id);
        }
    }

    /// Takes the request of the peer that waits, to respond finally.
    pub(super) fn take_pending(&mut self, id: SessionId) -> Option<(ServerId, u32)> {
        let session = self.by_id.get_mut(&id)?;
        let server = session.pending.take()?;
        self.by_server.remove(&server);
        Some((server, session.pending_cseq))
    }

    pub(super) fn of_server(&self, server: ServerId) -> Option<SessionId> {
        self.by_server.get(&server).copied()
    }

    pub(super) fn on_flow(&self, flow: FlowId) -> Vec<SessionId> {
        self.by_flow.range((flow, SessionId(0))..=(flow, SessionId(u32::MAX))).map(|(_, id)| *id).collect()
    }

    pub(super) fn move_to(&mut self, id: SessionId, flow: FlowId) {
        if let Some(session) = self.by_id.get_mut(&id) {
            self.by_flow.remove(&(session.flow, id));
            session.flow = flow;
            self.by_flow.insert((flow, id));
        }
    }
}

/// When the 2xx is sent again.
pub(super) fn next_repetition(now: Instant, interval: Duration) -> (Instant, Duration) {
    let doubled = (interval * 2).min(crate::transaction::timers::T2);
    (now + interval, doubled)
}
