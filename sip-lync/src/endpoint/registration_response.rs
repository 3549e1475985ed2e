//! What the server says about a registration: responses to REGISTER and registration notifications.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::Endpoint;
use super::registration::Told;
use super::vocabulary::UserId;
use crate::flow::FlowId;
use crate::grammar;
use crate::gruu::InstanceId;
use crate::headers::ms::{RegisterAction, RegistrationAdvice, RegistrationEvent};
use crate::headers::{HeaderName, NameAddrView, ParametersView};
use crate::message::{Request, Response};
use crate::register::Trigger;
use crate::uri::SipUri;

/// The lifetime of a registration whose response names none.
///
/// RFC 3261 10.2.1.1
const UNNAMED_EXPIRY: u32 = 3600;

/// How often in a row a longer life may be demanded: everybody on the way may do so once, and nobody for ever.
pub(super) const LENGTHENINGS: u8 = 4;

impl Endpoint {
    /// A response to REGISTER.
    ///
    /// RFC 3261 10.2.4, MS-SIPREGE 3.1
    pub(super) fn on_register_response(&mut self, now: Instant, user: UserId, response: &Response) {
        if response.status.is_provisional() {
            return;
        }
        let Some(account) = self.accounts.get_mut(user) else { return };
        account.registration.client = None;
        let asked = account.registration.asked;
        let flow = account.flow;
        let mut told = Told {
            status: Some(response.status),
            diagnostics: response.headers.diagnostics().ok().flatten(),
            services: true,
            server: response.headers.get(&HeaderName::Server).map(str::to_owned),
            ..Told::default()
        };
        let trigger = match response.status.code() {
            200..=299 => self.registered(now, user, flow, response, &mut told),
            301 | 302 => {
                told.contacts = redirect_contacts(response);
                if told.contacts.is_empty() { Trigger::RefusedForGood } else { Trigger::Redirected }
            }
            401 | 407 => self.on_challenge(user, response, &mut told),
            423 => {
                let least = response.headers.min_expires().ok().flatten().map(u64::from);
                match least.map(Duration::from_secs) {
                    Some(least)
                        if account.registration.lengthened < LENGTHENINGS
                            && asked.is_none_or(|asked| asked < least) =>
                    {
                        account.registration.asked = Some(least);
                        account.registration.lengthened += 1;
                        Trigger::IntervalTooBrief
                    }
                    _ => Trigger::RefusedForGood,
                }
            }
            // What may be over later: time-outs, overload, trouble behind the server.
            408 | 430 | 480 | 481 | 482 | 486 | 491 | 500 | 502..=504 => {
                self.note_retry_after(user, response);
                Trigger::RefusedForNow
            }
            _ => Trigger::RefusedForGood,
        };
        self.registration_step(now, user, trigger, &told);
    }

    fn registered(
        &mut self,
        now: Instant,
        user: UserId,
        flow: Option<FlowId>,
        response: &Response,
        told: &mut Told,
    ) -> Trigger {
        let headers = &response.headers;
        if let Some(flow) = flow {
            self.keep_alive_agreed(now, flow, headers);
        }
        self.association_established(user);
        let Some(account) = self.accounts.get_mut(user) else { return Trigger::Success };
        let ours = headers.elements(&HeaderName::Contact).find_map(|element| {
            let contact = NameAddrView::parse(element).ok()?;
            let granted = Granted::of(contact.parameters);
            let ours = match granted.instance.and_then(InstanceId::parse) {
                Some(instance) => instance == account.instance,
                None => contact.sip_uri().ok()?.parameter("ms-opaque") == Some(&*account.opaque),
            };
            ours.then_some(granted)
        });
        let ours = ours.unwrap_or_default();
        let seconds = ours
            .expires
            .and_then(|expires| grammar::saturating_number(expires).ok())
            .or_else(|| headers.expires().ok().flatten())
            .or_else(|| account.registration.asked.map(|asked| asked.as_secs() as u32))
            .unwrap_or(UNNAMED_EXPIRY);
        // A lifetime of nothing would have us refresh without end.
        account.registration.lengthened = 0;
        account.registration.granted = Duration::from_secs(u64::from(seconds.clamp(10, 30 * 86_400)));
        let gruu = ours.gruu.or(ours.public_gruu).map(grammar::unquote).filter(|_| self.config.gruu);
        // Mostly it is the one we have.
        if gruu.as_deref() != account.gruu.as_ref().map(SipUri::as_str) {
            account.gruu = gruu.and_then(|gruu| SipUri::parse(&gruu).ok());
        }
        let Ok(Some(presence)) = headers.presence_state() else { return Trigger::Success };
        told.services = !presence.is_survivable_mode();
        match presence.register_action {
            RegisterAction::Added | RegisterAction::Fixed => Trigger::SuccessAdded,
            RegisterAction::Refreshed => Trigger::Success,
        }
    }

    fn note_retry_after(&mut self, user: UserId, response: &Response) {
        let seconds = response.headers.get(&HeaderName::RetryAfter).and_then(|value| {
            let digits = value.trim_start();
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            digits.get(..end)?.parse::<u64>().ok()
        });
        if let Some(account) = self.accounts.get_mut(user) {
            account.registration.retry_after =
                seconds.map(|seconds| Duration::from_secs(seconds.clamp(1, 86_400)));
        }
    }

    /// A notification of the implicit registration subscription.
    ///
    /// MS-SIPREGE 2.2.1.13
    pub(super) fn on_registration_event(&mut self, now: Instant, user: UserId, request: &Request) {
        let body = std::str::from_utf8(&request.body).unwrap_or_default();
        let Ok(event) = RegistrationEvent::parse(body) else { return };
        let registrar = request.headers.get(&HeaderName::PPreferredRegistrar).map(str::to_owned);
        let told = Told {
            diagnostics: request.headers.diagnostics().ok().flatten(),
            registrar,
            services: event.event.eq_ignore_ascii_case("userservices-available"),
            ..Told::default()
        };
        let trigger = match event.advice() {
            RegistrationAdvice::Stop => Trigger::NotifiedStop,
            RegistrationAdvice::RegisterAgain if told.registrar.is_some() => Trigger::NotifiedMoved,
            RegistrationAdvice::RegisterAgain => Trigger::NotifiedAgain,
            RegistrationAdvice::Stay => Trigger::NotifiedState,
        };
        self.registration_step(now, user, trigger, &told);
    }
}

/// What the parameters of a Contact say of the registration; empty when one has no value.
#[derive(Clone, Copy, Debug, Default)]
struct Granted<'a> {
    instance: Option<&'a str>,
    expires: Option<&'a str>,
    gruu: Option<&'a str>,
    public_gruu: Option<&'a str>,
}

impl<'a> Granted<'a> {
    fn of(parameters: ParametersView<'a>) -> Self {
        let mut granted = Self::default();
        for (name, value) in parameters.iter() {
            let place = match name.len() {
                13 if name.eq_ignore_ascii_case("+sip.instance") => &mut granted.instance,
                7 if name.eq_ignore_ascii_case("expires") => &mut granted.expires,
                4 if name.eq_ignore_ascii_case("gruu") => &mut granted.gruu,
                8 if name.eq_ignore_ascii_case("pub-gruu") => &mut granted.public_gruu,
                _ => continue,
            };
            // The first of a name counts.
            place.get_or_insert(value.unwrap_or_default());
        }
        granted
    }
}

/// The servers of a redirection, best first; those of equal preference in their order.
///
/// RFC 3261 20.10, MS-SIPREGE 3.1
fn redirect_contacts(response: &Response) -> Vec<SipUri> {
    let contacts = response.headers.contacts().unwrap_or_default();
    let mut contacts: Vec<(Reverse<u16>, SipUri)> = contacts
        .iter()
        .filter_map(|contact| {
            let q = contact.q().ok().flatten().unwrap_or(1000);
            Some((Reverse(q), contact.address()?.sip_uri()?.clone()))
        })
        .collect();
    contacts.sort_by_key(|(q, _)| *q);
    contacts.into_iter().map(|(_, uri)| uri).collect()
}
