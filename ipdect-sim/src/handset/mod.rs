//! A handset: a portable part with keys, a display and a ringer.
//!
//! Sans-IO: its radio is the base station's business, its ear and mouth the shell's.

mod event;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::BytesMut;
use dect_nwk::authentication::AuthenticationCode;
use dect_nwk::element::ReleaseReason;
use dect_nwk::identity::Ipei;
use dect_nwk::portable_part::{self, PortablePart, PortablePartConfig, Subscription};
use dect_nwk::services::ControlCode;
use dect_nwk::{CallId, Input, Transmit};

pub use event::HandsetEvent;

use crate::json::HandsetCommand;
use crate::seed::Seed;

/// How the hold and retrieve keys of a handset work.
///
/// EN 300 175-5 10.4.3, EN 300 444 8.14
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HoldKey {
    /// They send the R key: the system toggles.
    #[default]
    Recall,
    /// They send HOLD and RETRIEVE messages.
    Message,
}

/// Which handset it is.
///
/// EN 300 175-6 10.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandsetConfig {
    /// The equipment's identity.
    pub ipei: Ipei,
    /// The access code its user types at a subscription.
    pub access_code: Option<String>,
    /// A subscription made before.
    pub subscription: Option<Subscription>,
    /// How its hold key works.
    pub hold_key: HoldKey,
    /// Whether it can do DSAA2.
    pub dsaa2: bool,
}

impl HandsetConfig {
    /// A handset that has no subscription yet.
    ///
    /// EN 300 175-6 10.2
    pub fn new(ipei: Ipei, access_code: Option<&str>) -> Self {
        Self {
            ipei,
            access_code: access_code.map(str::to_owned),
            subscription: None,
            hold_key: HoldKey::default(),
            dsaa2: true,
        }
    }
}

/// Where a call of the handset stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// We dial or wait for the other end.
    Dialling,
    /// It rings here.
    Ringing,
    Talking,
}

/// A handset.
///
/// EN 300 175-5 9.3, 13
#[derive(Debug)]
pub struct Handset {
    part: PortablePart,
    config: HandsetConfig,
    powered: bool,
    subscribed: bool,
    located: bool,
    /// The location is to be registered as soon as no other procedure runs.
    wants_location: bool,
    calls: Vec<(CallId, Stage)>,
    display: String,
    events: VecDeque<HandsetEvent>,
}

impl Handset {
    /// A handset that is switched off.
    ///
    /// EN 300 175-5 13
    pub fn new(config: HandsetConfig, seed: Seed) -> Self {
        let mut part = PortablePartConfig::new(config.ipei);
        part.dsaa2 = config.dsaa2;
        part.subscription.clone_from(&config.subscription);
        let subscribed = config.subscription.is_some();
        Self {
            part: PortablePart::new(part, dect_nwk::Seed(seed.0)),
            config,
            powered: false,
            subscribed,
            located: false,
            wants_location: false,
            calls: Vec::new(),
            display: String::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes what the radio link brought.
    ///
    /// EN 300 175-5 14
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if let Err(error) = self.part.handle_input(now, input) {
            tracing::debug!(%error, ipei = %self.config.ipei, "the fixed part broke a rule");
        }
        self.happened(now);
    }

    /// Lets time pass.
    ///
    /// EN 300 175-5 A
    pub fn handle_timeout(&mut self, now: Instant) {
        self.part.handle_timeout(now);
        self.happened(now);
    }

    /// Presses the keys that a command stands for. What cannot be done is the event [`HandsetEvent::Failed`].
    ///
    /// EN 300 175-5 9.3, 13
    pub fn command(&mut self, now: Instant, command: &HandsetCommand) {
        if let Err(reason) = self.press(now, command) {
            self.events.push_back(HandsetEvent::Failed { reason });
        }
        self.happened(now);
    }

    /// Registers the location as soon as nothing else runs, if there is a subscription: when the handset comes into range.
    /// After a subscription and when it is switched on it does so by itself.
    ///
    /// EN 300 175-5 13.4.1
    pub fn locate(&mut self, now: Instant) {
        self.wants_location = self.subscribed;
        self.happened(now);
    }

    /// Whether it is switched on.
    ///
    /// EN 300 175-5 13.4.1
    pub fn is_powered(&self) -> bool {
        self.powered
    }

    /// Whether its location is registered.
    ///
    /// EN 300 175-5 13.4.1
    pub fn is_located(&self) -> bool {
        self.located
    }

    /// Its identity.
    ///
    /// EN 300 175-6 10.2
    pub fn ipei(&self) -> Ipei {
        self.config.ipei
    }

    /// What the display shows.
    ///
    /// EN 300 175-5 7.5.5
    pub fn display(&self) -> &str {
        &self.display
    }

    /// What goes over the radio link: octets are appended to `buffer`.
    ///
    /// EN 300 175-5 14
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        self.part.poll_transmit(buffer)
    }

    /// What the user sees and hears.
    ///
    /// EN 300 175-5 9.3
    pub fn poll_event(&mut self) -> Option<HandsetEvent> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    ///
    /// EN 300 175-5 A
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.part.poll_timeout()
    }

    fn press(&mut self, now: Instant, command: &HandsetCommand) -> Result<(), String> {
        match command {
            HandsetCommand::SwitchOn => {
                self.powered = true;
                self.wants_location = self.subscribed;
                Ok(())
            }
            HandsetCommand::Subscribe(code) => {
                let code = code.as_ref().or(self.config.access_code.as_ref());
                let code = code.ok_or("no access code was given")?;
                let code = AuthenticationCode::from_pin(code).map_err(|error| error.to_string())?;
                self.powered = true;
                self.part.subscribe(now, code).map_err(|error| error.to_string())
            }
            HandsetCommand::OffHook => match self.at(Stage::Ringing) {
                Some(call) => self.part.answer(now, call).map_err(|error| error.to_string()),
                None => self.begun(|part| part.off_hook(now)),
            },
            HandsetCommand::Dial(number) => match self.at(Stage::Dialling) {
                Some(call) => self.part.digits(now, call, number, true).map_err(|error| error.to_string()),
                None => self.begun(|part| part.dial(now, number)),
            },
            HandsetCommand::Answer => {
                let call = self.at(Stage::Ringing).ok_or("it does not ring")?;
                self.part.answer(now, call).map_err(|error| error.to_string())
            }
            HandsetCommand::HangUp => self.hang_up(now),
            HandsetCommand::Hold => self.hold_key(now, true),
            HandsetCommand::Retrieve => self.hold_key(now, false),
            HandsetCommand::Recall => self.keypad(now, RECALL),
            HandsetCommand::Keys(keys) => self.keypad(now, keys),
            HandsetCommand::Transfer(number) => self.transfer(now, number.as_deref()),
            HandsetCommand::Display => {
                self.events.push_back(HandsetEvent::Display { text: self.display.clone() });
                Ok(())
            }
            HandsetCommand::WalkOut | HandsetCommand::WalkIn => {
                Err("the base station moves handsets".to_owned())
            }
            HandsetCommand::Play(_) | HandsetCommand::Record(_) => Err("the shell has the audio".to_owned()),
        }
    }

    fn begun<E: ToString>(
        &mut self,
        begin: impl FnOnce(&mut PortablePart) -> Result<CallId, E>,
    ) -> Result<(), String> {
        let call = begin(&mut self.part).map_err(|error| error.to_string())?;
        self.calls.push((call, Stage::Dialling));
        Ok(())
    }

    fn hang_up(&mut self, now: Instant) -> Result<(), String> {
        if let Some(call) = self.at(Stage::Talking).or_else(|| self.at(Stage::Dialling)) {
            return self.part.release(now, call, ReleaseReason::Normal).map_err(|error| error.to_string());
        }
        let call = self.at(Stage::Ringing).ok_or("there is no call")?;
        self.part.release(now, call, ReleaseReason::UserRejection).map_err(|error| error.to_string())
    }

    fn hold_key(&mut self, now: Instant, hold: bool) -> Result<(), String> {
        match self.config.hold_key {
            HoldKey::Recall => self.keypad(now, RECALL),
            HoldKey::Message => {
                let call = self.at(Stage::Talking).ok_or("there is no call")?;
                let result = if hold { self.part.hold(now, call) } else { self.part.retrieve(now, call) };
                result.map_err(|error| error.to_string())
            }
        }
    }

    fn keypad(&mut self, now: Instant, keys: &str) -> Result<(), String> {
        let call = self.at(Stage::Talking).or_else(|| self.at(Stage::Dialling)).ok_or("there is no call")?;
        self.part.keypad(now, call, keys).map_err(|error| error.to_string())
    }

    /// The code that joins the far ends of both calls, after a second call has been begun if there is a number.
    fn transfer(&mut self, now: Instant, number: Option<&str>) -> Result<(), String> {
        let call = self.at(Stage::Talking).ok_or("there is no call")?;
        if let Some(number) = number {
            let begun = self.part.control(now, call, ControlCode::SecondCall, None, number);
            begun.map_err(|error| error.to_string())?;
        }
        self.part.control(now, call, ControlCode::Transfer, None, "").map_err(|error| error.to_string())
    }

    fn at(&self, stage: Stage) -> Option<CallId> {
        self.calls.iter().find(|(_, at)| *at == stage).map(|(call, _)| *call)
    }

    fn reached(&mut self, call: CallId, stage: Stage) {
        match self.calls.iter_mut().find(|(known, _)| *known == call) {
            Some((_, at)) => *at = stage,
            None => self.calls.push((call, stage)),
        }
    }

    fn happened(&mut self, now: Instant) {
        loop {
            while let Some(event) = self.part.poll_event() {
                if let Some(event) = self.translated(event) {
                    self.events.push_back(event);
                }
            }
            // A procedure that still runs is in the way: the next input or deadline tries again.
            if !self.wants_location || self.part.locate(now).is_err() {
                break;
            }
            self.wants_location = false;
        }
    }

    fn translated(&mut self, event: portable_part::Event) -> Option<HandsetEvent> {
        use portable_part::Event as E;
        Some(match event {
            E::Subscribed(subscription) => {
                self.subscribed = true;
                self.wants_location = true;
                HandsetEvent::Subscribed { park: subscription.park.to_string() }
            }
            E::SubscriptionFailed { reason } => {
                HandsetEvent::SubscriptionFailed { reason: format!("{reason:?}") }
            }
            E::Terminated => {
                self.subscribed = false;
                self.located = false;
                self.wants_location = false;
                HandsetEvent::Terminated
            }
            E::Located { .. } => {
                self.located = true;
                HandsetEvent::Located
            }
            E::LocationFailed { reason } => {
                self.located = false;
                HandsetEvent::LocationFailed { reason: format!("{reason:?}") }
            }
            E::Ring { call, calling_number, calling_name, .. } => {
                self.reached(call, Stage::Ringing);
                HandsetEvent::Ring { number: calling_number, name: calling_name }
            }
            E::SetupAcknowledged { .. } => HandsetEvent::DialTone,
            E::Proceeding { .. } => HandsetEvent::Proceeding,
            E::RemoteAlerting { .. } => HandsetEvent::Alerting,
            E::Connected { call } => {
                self.reached(call, Stage::Talking);
                HandsetEvent::Connected
            }
            E::Released { call, reason } => {
                self.calls.retain(|(known, _)| *known != call);
                self.display.clear();
                HandsetEvent::Released { reason: format!("{reason:?}") }
            }
            E::Display { text, .. } => {
                show(&mut self.display, &text);
                HandsetEvent::Display { text: self.display.clone() }
            }
            E::Signal { signal, .. } => HandsetEvent::Signal { signal: format!("{signal:?}") },
            E::Held { accepted, .. } => HandsetEvent::Held { accepted },
            E::Retrieved { accepted, .. } => HandsetEvent::Retrieved { accepted },
            E::Ciphered { on } => HandsetEvent::Ciphered { on },
            E::Notified { voice_messages: Some(messages), .. } => HandsetEvent::Mwi { messages },
            E::LinkLost => HandsetEvent::LinkLost,
            _ => return None,
        })
    }
}

/// Puts received characters on the display: the form feed clears it, other control codes move a cursor that a line of
/// text does not have (EN 300 175-5 D.2).
fn show(display: &mut String, text: &str) {
    for character in text.chars() {
        if character == '\u{c}' {
            display.clear();
        } else if !character.is_control() && display.len() < DISPLAY {
            display.push(character);
        }
    }
}

/// Octets of text that a display holds at most.
const DISPLAY: usize = 256;
/// The R key: register recall (EN 300 175-5 7.6.5, annex D).
const RECALL: &str = "\u{15}";

#[cfg(test)]
mod tests {
    use super::show;

    #[test]
    fn a_form_feed_clears_the_display_and_text_without_it_is_added() {
        let mut display = "old".to_owned();
        show(&mut display, "\u{c}Bob");
        assert_eq!(display, "Bob");
        show(&mut display, "\u{2} +1425");
        assert_eq!(display, "Bob +1425");
    }
}
