//! Signatures of what is received: the owner of the key judges, messages wait in their order.

use std::collections::VecDeque;
use std::time::Instant;

use super::Endpoint;
use super::event::Event;
use super::vocabulary::UserId;
use crate::flow::FlowId;
use crate::headers::{AuthenticationInfo, HeaderName, NameAddr};
use crate::message::Message;
use crate::method::Method;
use crate::signature::{SignatureFields, signature_text};

/// How many messages wait on a flow at most while one is judged.
const WAITING: usize = 1000;

/// A signature to be judged.
///
/// MS-SIPAE 3.2.5.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerificationId(pub u32);

/// Whether a signature is right.
///
/// MS-SIPAE 3.2.5.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is: the message is processed.
    Genuine,
    /// It is not: the message is dropped.
    Forged,
}

/// The messages of a flow that wait behind the one that is judged.
#[derive(Debug, Default)]
pub(super) struct Verifying {
    judged: Option<(VerificationId, Message)>,
    behind: VecDeque<Message>,
}

/// What is to be done with a message.
enum Standing {
    Process,
    Drop,
    Judge(UserId, String, String, String),
}

impl Endpoint {
    /// Answers an [`Event::SignatureReceived`].
    ///
    /// MS-SIPAE 3.2.5.2
    pub fn verified(&mut self, now: Instant, id: VerificationId, verdict: Verdict) {
        self.begin(now);
        let Some(flow) = self.verifications.remove(&id) else { return };
        let Some(entry) = self.flows.get_mut(&flow) else { return };
        let judged = entry.verifying.judged.take_if(|(of, _)| *of == id);
        if let Some((_, message)) = judged
            && verdict == Verdict::Genuine
        {
            self.process(now, flow, message);
        }
        // Those behind it, up to the next one that is to be judged.
        while let Some(message) = self.flows.get_mut(&flow).and_then(|entry| {
            if entry.verifying.judged.is_none() { entry.verifying.behind.pop_front() } else { None }
        }) {
            self.admit(now, flow, message);
        }
    }

    /// A message came: it is processed, dropped, judged, or waits behind one that is.
    pub(super) fn admit(&mut self, now: Instant, flow: FlowId, message: Message) {
        if !self.config.credentials {
            return self.process(now, flow, message);
        }
        let Some(entry) = self.flows.get_mut(&flow) else { return };
        if entry.verifying.judged.is_some() {
            if entry.verifying.behind.len() < WAITING {
                entry.verifying.behind.push_back(message);
            }
            return;
        }
        match self.standing(flow, &message) {
            Standing::Process => self.process(now, flow, message),
            Standing::Drop => {}
            Standing::Judge(user, target_name, text, signature) => {
                self.next_verification = self.next_verification.wrapping_add(1);
                let id = VerificationId(self.next_verification);
                self.verifications.insert(id, flow);
                if let Some(entry) = self.flows.get_mut(&flow) {
                    entry.verifying.judged = Some((id, message));
                }
                self.events.push_back(Event::SignatureReceived { id, user, target_name, text, signature });
            }
        }
    }

    /// The flow is gone and with it what waited there.
    pub(super) fn forget_verifications(&mut self, flow: FlowId) {
        self.verifications.retain(|_, of| *of != flow);
    }

    fn standing(&self, flow: FlowId, message: &Message) -> Standing {
        // The server signs with the association of the recipient: ours is To of requests and From of responses.
        let ours = match message {
            Message::Request(_) => HeaderName::To,
            Message::Response(_) => HeaderName::From,
        };
        let address = message.headers().get(&ours).and_then(|value| NameAddr::parse(value).ok());
        let user = address.and_then(|address| self.accounts.of_address(&address));
        let Some(user) = user else { return Standing::Process };
        let authentication = self.accounts.get(user).map(|account| &account.authentication);
        let Some((authentication, association)) = authentication.and_then(|of| Some((of, of.on_flow(flow)?)))
        else {
            return Standing::Process;
        };
        if let Ok(Some(information)) = message.headers().authentication_info() {
            let realm = information.get("realm").unwrap_or_else(|| association.realm.as_str().into());
            let target =
                information.get("targetname").unwrap_or_else(|| association.target_name.as_str().into());
            // MS-SIPAE 3.2: what nobody agreed to sign with us is discarded.
            let Some(association) = authentication.of_target(flow, &realm, &target) else {
                return Standing::Drop;
            };
            if let Some(judge) = judge(message, user, association, &information) {
                return judge;
            }
        }
        // What need not be signed: progress, challenges, and responses to REGISTER before the association stands.
        let unsigned = match message {
            Message::Request(_) => !association.established,
            Message::Response(response) => {
                let register = response
                    .headers
                    .cseq()
                    .is_ok_and(|cseq| cseq.is_some_and(|cseq| cseq.method == Method::Register));
                response.status.is_provisional()
                    || matches!(response.status.code(), 401 | 407)
                    || (register && !association.established && !response.status.is_success())
            }
        };
        if unsigned { Standing::Process } else { Standing::Drop }
    }
}

fn judge(
    message: &Message,
    user: UserId,
    association: &super::credentials::Association,
    information: &AuthenticationInfo,
) -> Option<Standing> {
    let random = information.get("srand")?;
    let number = information.get("snum")?.parse().ok()?;
    let signature = information.get("rspauth")?.into_owned();
    let fields = SignatureFields {
        version: association.version,
        scheme: &association.scheme,
        random: &random,
        number,
        realm: &association.realm,
        target_name: &association.target_name,
    };
    let text = signature_text(message, &fields).ok()?;
    Some(Standing::Judge(user, association.target_name.clone(), text, signature))
}
