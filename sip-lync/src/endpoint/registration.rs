//! The registrations of all users: what the pure steps of [`crate::register`] demand.

use std::time::{Duration, Instant};

use super::credentials::{CREDENTIALS, RENEWAL, RENEWED};
use super::event::Event;
use super::failure::{RegistrationFailure, Retry};
use super::vocabulary::UserId;
use super::{Deadline, Endpoint, Purpose, identity};
use crate::error::{Error, Refusal};
use crate::flow::FlowId;
use crate::headers::Challenge;
use crate::headers::ms::Diagnostics;
use crate::headers::{HeaderName, Headers};
use crate::message::Request;
use crate::method::Method;
use crate::register::{self, Effect, Report, State, Trigger};
use crate::status::StatusCode;
use crate::transaction::key::ClientKey;
use crate::uri::{SipUri, Uri};

/// What a step may have to tell the user beside its report.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) status: Option<StatusCode>,
    pub(super) diagnostics: Option<Diagnostics>,
    pub(super) registrar: Option<String>,
    pub(super) contacts: Vec<SipUri>,
    pub(super) challenges: Vec<Challenge>,
    pub(super) services: bool,
    pub(super) server: Option<String>,
}

impl Endpoint {
    /// Registers a user over a flow; `expires` asks for a lifetime, `None` leaves it to the server. Called again, it
    /// refreshes at once, over another flow it registers there anew.
    ///
    /// RFC 3261 10.2, MS-SIPREGE 3.1
    pub fn register(
        &mut self,
        now: Instant,
        user: UserId,
        flow: FlowId,
        expires: Option<Duration>,
    ) -> Result<(), Error> {
        self.begin(now);
        if !self.flows.contains_key(&flow) {
            return Err(Error::Refused(Refusal::UnknownFlow));
        }
        let account = self.accounts.get_mut(user).ok_or(Error::Refused(Refusal::UnknownUser))?;
        account.registration.asked = expires;
        account.registration.failures = 0;
        account.registration.lengthened = 0;
        account.removed = false;
        let moved = account.flow.is_some_and(|before| before != flow);
        if moved && account.registration.state != State::Unregistered {
            // The old registrar forgets us by itself; a request under way there is of no interest any more.
            account.registration.state = State::Unregistered;
            if let Some(client) = account.registration.client.take() {
                self.purposes.remove(&client);
            }
            account.registration.call_id = self.words.call_id().into();
            account.registration.cseq = 0;
            account.authentication.restart();
            account.gruu = None;
            self.deadlines.stop(&Deadline::Registration(user));
        }
        self.accounts.set_flow(user, Some(flow));
        self.registration_step(now, user, Trigger::Register, &Told::default());
        Ok(())
    }

    /// Withdraws the registration of a user.
    ///
    /// RFC 3261 10.2.2
    pub fn deregister(&mut self, now: Instant, user: UserId) {
        self.begin(now);
        self.registration_step(now, user, Trigger::Deregister, &Told::default());
    }

    /// Where the registration of a user stands.
    ///
    /// RFC 3261 10.2
    #[must_use]
    pub fn registration(&self, user: UserId) -> State {
        self.accounts.get(user).map_or(State::Unregistered, |account| account.registration.state)
    }

    /// The GRUU of a user while it is registered.
    ///
    /// MS-SIPRE 2.2.3
    #[must_use]
    pub fn gruu(&self, user: UserId) -> Option<&SipUri> {
        self.accounts.get(user)?.gruu.as_ref()
    }

    pub(super) fn registrations_lost(&mut self, now: Instant, flow: FlowId) {
        for user in self.accounts.on_flow(flow) {
            if let Some(account) = self.accounts.get_mut(user)
                && let Some(client) = account.registration.client.take()
            {
                self.purposes.remove(&client);
            }
            self.accounts.set_flow(user, None);
            self.registration_step(now, user, Trigger::FlowLost, &Told::default());
        }
    }

    pub(super) fn registration_due(&mut self, now: Instant, user: UserId) {
        let trigger = match self.registration(user) {
            State::Registered => Trigger::RefreshDue,
            State::Waiting => Trigger::RetryDue,
            State::Queued => Trigger::TurnCame,
            State::Authenticating => Trigger::GiveUp,
            State::Unregistered => return,
            // The REGISTER could not even be sent.
            State::Registering
            | State::Refreshing
            | State::Withdrawing
            | State::Deregistering
            | State::Returning => Trigger::TimedOut,
        };
        self.registration_step(now, user, trigger, &Told::default());
    }

    pub(super) fn registration_step(&mut self, now: Instant, user: UserId, trigger: Trigger, told: &Told) {
        let Some(account) = self.accounts.get_mut(user) else { return };
        let (next, effects) = register::step(account.registration.state, trigger);
        account.registration.state = next;
        for effect in effects {
            match effect {
                Effect::Enqueue => self.enqueue_registration(now, user),
                Effect::SendRegister => self.send_register(now, user, None),
                Effect::SendDeregister => self.send_register(now, user, Some(Duration::ZERO)),
                Effect::NewRegistration => {
                    let call_id = self.words.call_id();
                    if let Some(account) = self.accounts.get_mut(user) {
                        account.registration.call_id = call_id.into();
                        account.registration.cseq = 0;
                    }
                }
                Effect::StartRefresh => self.start_refresh(now, user),
                Effect::StartRetry => self.start_retry(now, user, trigger),
                Effect::StartPatience => {
                    self.deadlines.start(Deadline::Registration(user), now + PATIENCE);
                }
                Effect::StopTimers => self.deadlines.stop(&Deadline::Registration(user)),
                Effect::Report(report) => self.report_registration(now, user, *report, told),
            }
        }
        let gone = self.accounts.get(user).is_some_and(|account| {
            account.removed
                && account.registration.state == State::Unregistered
                && account.sessions.is_empty()
        });
        if gone {
            self.forget_user(user);
        }
    }

    fn report_registration(&mut self, now: Instant, user: UserId, report: Report, told: &Told) {
        let Some(account) = self.accounts.get_mut(user) else { return };
        let retry_later = Retry::After(account.registration.pause);
        let (failure, retry) = match report {
            Report::Registered | Report::Refreshed => {
                self.events.push_back(Event::Registered {
                    user,
                    gruu: account.gruu.clone(),
                    expires: account.registration.granted,
                    refreshed: report == Report::Refreshed,
                    services: told.services,
                    server: told.server.clone(),
                });
                self.recover_all(now, user);
                return;
            }
            Report::Deregistered => {
                account.gruu = None;
                self.events.push_back(Event::Deregistered { user });
                return;
            }
            Report::CredentialsWanted => {
                self.tell_challenges(user, told);
                return;
            }
            Report::Redirected => {
                self.events.push_back(Event::Redirected { user, contacts: told.contacts.clone() });
                return;
            }
            Report::ServicesChanged => {
                self.events.push_back(Event::ServicesChanged { user, available: told.services });
                return;
            }
            Report::Challenged if account.authentication.refused => {
                (RegistrationFailure::CredentialsRefused, Retry::Never)
            }
            Report::Challenged => (self.challenge_failure(), Retry::Never),
            Report::RefusedForGood => (RegistrationFailure::Refused, Retry::Never),
            Report::RefusedForNow => (RegistrationFailure::Refused, retry_later),
            Report::TimedOut => (RegistrationFailure::TimedOut, retry_later),
            Report::Removed => (RegistrationFailure::Removed, Retry::Never),
            Report::Deactivated => (RegistrationFailure::Deactivated, retry_later),
            Report::Moved => (RegistrationFailure::RegistrarChanged, Retry::Never),
            Report::FlowLost => (RegistrationFailure::FlowLost, Retry::Never),
            Report::Lost => {
                self.sessions_of_user_lost(now, user);
                self.subscriptions_of_user_lost(now, user);
                (RegistrationFailure::LostByServer, Retry::After(Duration::ZERO))
            }
        };
        if let Some(account) = self.accounts.get_mut(user) {
            account.gruu = None;
        }
        self.events.push_back(Event::RegistrationFailed {
            user,
            failure,
            status: told.status,
            retry,
            diagnostics: told.diagnostics.clone(),
            registrar: told.registrar.clone(),
        });
    }

    fn enqueue_registration(&mut self, now: Instant, user: UserId) {
        let Some(flow) = self.accounts.get(user).and_then(|account| account.flow) else { return };
        let turn = self.turn(now, flow);
        if turn > now {
            self.deadlines.start(Deadline::Registration(user), turn);
        } else {
            self.registration_step(now, user, Trigger::TurnCame, &Told::default());
        }
    }

    fn start_refresh(&mut self, now: Instant, user: UserId) {
        let Some(account) = self.accounts.get_mut(user) else { return };
        account.registration.failures = 0;
        let granted = account.registration.granted;
        let latest = granted.saturating_sub(self.config.refresh_before).max(granted / 2);
        let spread = latest * u32::from(self.config.refresh_spread.min(100)) / 100;
        let since = account.flow.and_then(|flow| account.authentication.since(flow));
        let due = now + self.words.between(latest.saturating_sub(spread), latest);
        // A long registration must not outlive its association; those of many users are renewed one after the other.
        let renewal =
            since.map(|since| since + self.words.between(RENEWAL + Duration::from_secs(1), RENEWED));
        let due = renewal.filter(|renewal| *renewal > now).map_or(due, |renewal| due.min(renewal));
        self.deadlines.start(Deadline::Registration(user), due);
    }

    fn start_retry(&mut self, now: Instant, user: UserId, trigger: Trigger) {
        let Some(account) = self.accounts.get_mut(user) else { return };
        let failures = account.registration.failures;
        account.registration.failures = failures.saturating_add(1);
        let asked = account.registration.retry_after.take();
        let pause = match (trigger, asked) {
            // MS-SIPREGE: deactivated endpoints come back after a random time.
            (Trigger::NotifiedAgain, _) => {
                self.words.between(Duration::from_secs(1), Duration::from_secs(10))
            }
            (_, Some(asked)) => self.words.between(asked, asked + asked / 10),
            (_, None) => {
                let factor = 1_u32 << failures.min(16);
                let pause = self.config.retry_lowest.saturating_mul(factor).min(self.config.retry_highest);
                self.words.between(pause * 3 / 4, pause)
            }
        };
        if let Some(account) = self.accounts.get_mut(user) {
            account.registration.pause = pause;
        }
        self.deadlines.start(Deadline::Registration(user), now + pause);
    }

    fn send_register(&mut self, now: Instant, user: UserId, expires: Option<Duration>) {
        let Some(flow) = self.accounts.get(user).and_then(|account| account.flow) else { return };
        let branch = self.words.branch_word();
        let branch = branch.as_str();
        let asks_keep_alive = self.asks_keep_alive(flow);
        let Some(entry) = self.flows.get(&flow) else { return };
        let Some(account) = self.accounts.get_mut(user) else { return };
        account.registration.cseq = account.registration.cseq.saturating_add(1);
        account.drop_old_association(now);
        let leg = account.take_leg();
        let expires = expires.or(account.registration.asked);
        let config = &self.config;
        let uri = Uri::parse(&[config.scheme(), ":", account.user.address_of_record.host()].concat());
        let mut request = Request::new(
            Method::Register,
            uri.unwrap_or_else(|_| account.user.address_of_record.clone().into()),
        );
        request.headers = Headers::with_capacity(24, 1280);
        let headers = &mut request.headers;
        identity::push_via(headers, config, &entry.sent_by, branch);
        headers.push_text(&HeaderName::MaxForwards, "70");
        identity::push_registered(headers, config, &account.user, &account.registration.tag);
        headers.push_text(&HeaderName::CallId, &account.registration.call_id);
        headers.push(HeaderName::CSeq, format_args!("{} REGISTER", account.registration.cseq));
        identity::push_contact_of_registration(headers, config, account, &entry.sent_by);
        headers.push_text(&HeaderName::UserAgent, &config.user_agent);
        push_supported(headers, config.gruu, config.event_categories);
        if config.public_gruu {
            headers.push_text(&HeaderName::Supported, "gruu");
        }
        if asks_keep_alive {
            headers.push_text(&HeaderName::MsKeepAlive, "UAC;hop-hop=yes");
        }
        headers.push_text(&HeaderName::Event, "registration");
        headers.push_text(&HeaderName::AllowEvents, "presence");
        if let Some(subnet) = &config.subnet {
            headers.push(HeaderName::MsSubnet, subnet);
        }
        if let Some(device) = &account.user.device {
            headers.push(HeaderName::MsDeviceInfo, device);
        }
        if let Some(expires) = expires {
            headers.push(HeaderName::Expires, expires.as_secs());
        }
        if let Some(leg) = leg {
            headers.push(CREDENTIALS, leg);
        }
        let key = ClientKey { flow, branch: branch.into(), method: Method::Register };
        match self.layer.request_keyed(now, key, request) {
            Ok(client) => {
                account.registration.client = Some(client);
                self.purposes.insert(client, Purpose::Register(user));
            }
            // The flow is full: as if nobody had answered.
            Err(_) => self.deadlines.start(Deadline::Registration(user), now),
        }
    }

    const fn challenge_failure(&self) -> RegistrationFailure {
        match self.config.mode {
            super::config::Mode::TrustedServer => RegistrationFailure::NotTrusted,
            super::config::Mode::Client => RegistrationFailure::Challenged,
        }
    }
}

/// How long the owner may take to answer a challenge.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the dialect wants to know of an endpoint, one tag or group a line.
///
/// MS-SIPREGE 2.2.1.5
fn push_supported(headers: &mut Headers, gruu: bool, event_categories: bool) {
    // Without gruu-10 the server refuses msrtc-event-categories with 421.
    let line = match (gruu, event_categories) {
        (true, true) => "gruu-10, adhoclist, msrtc-event-categories",
        (true, false) => "gruu-10, adhoclist",
        (false, _) => "adhoclist",
    };
    for line in [line, "ms-cluster-failover", "ms-userservices-state-notification"] {
        headers.push_text(&HeaderName::Supported, line);
    }
}
