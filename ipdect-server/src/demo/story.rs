//! The story: what happens, and what must be so after each step.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dect_nwk::identity::Ipei;
use ipdect_sim::frontend::Event as FrontEndEvent;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::{HandsetCommand, UserCommand};
use ipdect_sim::net::{BaseStationReport, LyncUserReport, TalkReport};
use ipdect_sim::speech::sentences;
use ipdect_sim::user::{Event as UserEvent, Side};
use telephony_audio::correlation::audio_match;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::installation::{ALICE, Installation, Phone, address_of};
use super::outcome::CallOutcome;
use super::presence::Watched;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest wait for presence to come back to Away.
const PRESENCE: Duration = Duration::from_secs(10);
/// The server's status is looked at this often while nothing is reported.
const LOOK: Duration = Duration::from_millis(50);
/// Speech is on its way for this long after its last packet was sent.
const TAIL: Duration = Duration::from_millis(300);
/// Samples above this are speech.
const SPEECH: u16 = 300;

/// What one of the simulators reported.
#[derive(Debug)]
enum News {
    FrontEnd(FrontEndEvent),
    Alice(LyncUserReport),
    Base(BaseStationReport),
}

/// What was noticed so far.
#[derive(Debug, Default)]
struct Noticed {
    bases_up: usize,
    registered: BTreeMap<String, bool>,
    subscribed: BTreeMap<Ipei, bool>,
    refused: Option<String>,
    ringing_at_alice: bool,
    alice_connected: bool,
    /// ICE has found the way of the call's media.
    way: bool,
    alice_released: bool,
    alice_media: Option<Media>,
    held: bool,
    retrieved: bool,
    alice_spoke: bool,
    alice_heard: Option<TalkReport>,
    handset: BTreeMap<Ipei, Handset>,
}

#[derive(Clone, Debug, Default)]
struct Media {
    srtp: bool,
    suite: Option<String>,
    mki: Option<u64>,
    lifetime: Option<String>,
}

#[derive(Debug, Default)]
struct Handset {
    ringing: bool,
    connected: bool,
    talking: bool,
    spoke: bool,
    released: bool,
    heard: Option<TalkReport>,
}

/// The story and what is known of it.
pub(super) struct Story<'a> {
    world: &'a Installation,
    news: mpsc::UnboundedReceiver<News>,
    noticed: Noticed,
    watched: Watched,
    say: &'a mut dyn FnMut(&str),
}

impl<'a> Story<'a> {
    /// Listens to everything that runs.
    pub(super) fn new(world: &'a mut Installation, say: &'a mut dyn FnMut(&str)) -> Self {
        let (sender, news) = mpsc::unbounded_channel();
        let (_, gone) = mpsc::unbounded_channel();
        forward(std::mem::replace(&mut world.front_end.events, gone), sender.clone(), News::FrontEnd);
        let (_, gone) = mpsc::unbounded_channel();
        forward(std::mem::replace(&mut world.alice.reports, gone), sender.clone(), News::Alice);
        for base in &mut world.bases {
            let (_, gone) = mpsc::unbounded_channel();
            forward(std::mem::replace(&mut base.reports, gone), sender.clone(), News::Base);
        }
        Self { world, news, noticed: Noticed::default(), watched: Watched::default(), say }
    }

    /// Handsets subscribe on air and are registered; how many are.
    pub(super) async fn registration(&mut self) -> Result<usize, String> {
        self.say("handsets subscribe on air with the access code, and are registered over mutual TLS");
        let phones = self.world.phones.clone();
        let bases = self.world.bases.len();
        // Both ends of each connection must say so: a base station that has not heard the server opens no link.
        self.until("the base stations have no connection to the server", |server, noticed| {
            server.base_stations >= bases && noticed.bases_up >= bases
        })
        .await?;
        for phone in &phones {
            self.handset(*phone, HandsetCommand::Subscribe(None)).await;
        }
        self.until("not every handset could subscribe", |_, noticed| {
            phones.iter().all(|phone| noticed.subscribed.contains_key(&phone.ipei))
        })
        .await?;
        // Both sides must think so: the front end says it, and the server's status.
        self.until("not every handset is registered", |server, noticed| {
            server.registered == phones.len()
                && (0..phones.len()).all(|number| noticed.is_registered(&address_of(number)))
                && noticed.is_registered("alice@")
        })
        .await?;
        Ok(phones.len())
    }

    /// The first handset calls the Lync user; the call is held and retrieved.
    pub(super) async fn handset_calls(&mut self) -> Result<CallOutcome, String> {
        self.say("a handset calls a Lync user, both speak, the call is held and retrieved");
        let phone = *self.world.phones.first().ok_or("there is no handset")?;
        self.begin_call(phone.ipei);
        let dialled = Instant::now();
        self.handset(phone, HandsetCommand::Dial(ALICE.to_owned())).await;
        self.until("the Lync user is not rung", |_, noticed| noticed.ringing_at_alice).await?;
        let setup_ms = dialled.elapsed().as_millis() as u64;
        self.world.alice.command(UserCommand::Answer).await;
        self.until("the handset is not connected", |_, noticed| {
            noticed.alice_connected
                && noticed.handset.get(&phone.ipei).is_some_and(|handset| handset.connected)
        })
        .await?;
        let spoken = self.speak(phone, false).await?;
        self.handset(phone, HandsetCommand::Hold).await;
        self.until("the call is not held", |_, noticed| noticed.held).await?;
        self.handset(phone, HandsetCommand::Retrieve).await;
        self.until("the call is not retrieved", |_, noticed| noticed.retrieved).await?;
        self.handset(phone, HandsetCommand::HangUp).await;
        let mut outcome = self.finish_call(phone, &spoken).await?;
        outcome.direction = "handset-to-lync";
        outcome.setup_ms = setup_ms;
        outcome.held_and_retrieved = true;
        Ok(outcome)
    }

    /// The Lync user calls a handset.
    pub(super) async fn lync_calls(&mut self) -> Result<CallOutcome, String> {
        self.say("the Lync user calls a handset, both speak");
        let number = self.world.phones.len().min(2) - 1;
        let phone = *self.world.phones.get(number).ok_or("there is no handset")?;
        self.begin_call(phone.ipei);
        let dialled = Instant::now();
        self.world.alice.command(UserCommand::Call(format!("sip:{}", address_of(number)))).await;
        self.rings(phone).await?;
        let setup_ms = dialled.elapsed().as_millis() as u64;
        self.handset(phone, HandsetCommand::Answer).await;
        self.until("the call is not connected", |_, noticed| {
            noticed.alice_connected
                && noticed.handset.get(&phone.ipei).is_some_and(|handset| handset.connected)
        })
        .await?;
        let spoken = self.speak(phone, true).await?;
        self.world.alice.command(UserCommand::HangUp).await;
        let mut outcome = self.finish_call(phone, &spoken).await?;
        outcome.direction = "lync-to-handset";
        outcome.setup_ms = setup_ms;
        Ok(outcome)
    }

    /// The Lync user calls the first handset and sends it on to the second one; false where there is only one.
    pub(super) async fn transfer(&mut self) -> Result<bool, String> {
        let [first, second, ..] = self.world.phones.as_slice() else { return Ok(false) };
        let (first, second) = (*first, *second);
        self.say("the Lync user calls a handset again and sends it on to another handset");
        self.begin_call(second.ipei);
        self.begin_call(first.ipei);
        self.world.alice.command(UserCommand::Call(format!("sip:{}", address_of(0)))).await;
        self.rings(first).await?;
        self.handset(first, HandsetCommand::Answer).await;
        self.until("the call is not connected", |_, noticed| {
            noticed.alice_connected
                && noticed.handset.get(&first.ipei).is_some_and(|handset| handset.connected)
        })
        .await?;
        self.world.alice.command(UserCommand::Transfer(format!("sip:{}", address_of(1)))).await;
        self.rings(second).await?;
        self.handset(second, HandsetCommand::Answer).await;
        self.until("the transferred call is not connected, or the Lync user still in it", |_, noticed| {
            noticed.alice_released
                && noticed.handset.get(&second.ipei).is_some_and(|handset| handset.connected)
        })
        .await?;
        self.handset(second, HandsetCommand::HangUp).await;
        self.until("the transferred call did not end on both sides", |_, noticed| {
            [first, second]
                .iter()
                .all(|phone| noticed.handset.get(&phone.ipei).is_some_and(|handset| handset.released))
        })
        .await?;
        Ok(true)
    }

    async fn rings(&mut self, phone: Phone) -> Result<(), String> {
        self.until("the handset does not ring", |_, noticed| {
            noticed.handset.get(&phone.ipei).is_some_and(|handset| handset.ringing)
        })
        .await
    }

    /// Presence of the first handset goes back to Away.
    pub(super) async fn presence(&mut self) -> Result<Vec<String>, String> {
        self.say("presence goes from In a call over Available and Inactive to Away (two seconds each, by configuration)");
        let user = address_of(0);
        let wanted = ["InCall", "Available", "Inactive", "Away"];
        let end = Instant::now() + PRESENCE;
        loop {
            let phases = self.watched.since_first_call(&user);
            if phases.last().is_some_and(|phase| phase == "Away") {
                return if phases.ends_with(&wanted.map(str::to_owned)) {
                    Ok(phases)
                } else {
                    Err(format!("presence went {} instead of {}", phases.join(", "), wanted.join(", ")))
                };
            }
            let Ok(Some(news)) =
                timeout(end.saturating_duration_since(Instant::now()), self.news.recv()).await
            else {
                return Err(format!("presence stopped at {}", phases.join(", ")));
            };
            self.notice(news);
        }
    }

    fn say(&mut self, words: &str) {
        (self.say)(words);
    }

    fn begin_call(&mut self, ipei: Ipei) {
        let noticed = &mut self.noticed;
        noticed.ringing_at_alice = false;
        noticed.alice_connected = false;
        noticed.way = false;
        noticed.alice_released = false;
        noticed.alice_media = None;
        noticed.alice_spoke = false;
        noticed.alice_heard = None;
        noticed.handset.insert(ipei, Handset::default());
    }

    /// Both speak at once, each a sentence of its own; what was spoken: by the handset, by the Lync user.
    async fn speak(&mut self, phone: Phone, swapped: bool) -> Result<[Vec<i16>; 2], String> {
        let mut spoken = sentences();
        if swapped {
            spoken.reverse();
        }
        self.until("there is no speech path", |_, noticed| {
            noticed.alice_media.is_some()
                && noticed.way
                && noticed.handset.get(&phone.ipei).is_some_and(|handset| handset.talking)
        })
        .await?;
        if let Some(base) = self.world.bases.get(phone.base) {
            base.play(phone.ipei, spoken[0].clone()).await;
        }
        self.world.alice.play(spoken[1].clone()).await;
        self.until("the speech could not be sent", |_, noticed| {
            noticed.alice_spoke && noticed.handset.get(&phone.ipei).is_some_and(|handset| handset.spoke)
        })
        .await?;
        tokio::time::sleep(TAIL).await;
        Ok(spoken)
    }

    /// The call is over on both sides; what was heard is compared with what was spoken.
    async fn finish_call(&mut self, phone: Phone, spoken: &[Vec<i16>; 2]) -> Result<CallOutcome, String> {
        self.until("the call did not end on both sides", |_, noticed| {
            noticed.alice_released
                && noticed.alice_heard.is_some()
                && noticed
                    .handset
                    .get(&phone.ipei)
                    .is_some_and(|handset| handset.released && handset.heard.is_some())
        })
        .await?;
        let media = self.noticed.alice_media.clone().unwrap_or_default();
        let at_alice = self.noticed.alice_heard.take().unwrap_or_default();
        let at_handset = self
            .noticed
            .handset
            .get_mut(&phone.ipei)
            .and_then(|handset| handset.heard.take())
            .unwrap_or_default();
        let quality = heard(&spoken[0], &at_alice.recorded).min(heard(&spoken[1], &at_handset.recorded));
        Ok(CallOutcome {
            answered: true,
            srtp: media.srtp,
            suite: media.suite,
            mki: media.mki,
            lifetime: media.lifetime,
            packets_sent: at_alice.counters.packets_sent,
            packets_received: at_alice.counters.packets_received,
            audio_match: (quality * 1000.0).round() / 1000.0,
            ..CallOutcome::default()
        })
    }

    async fn handset(&self, phone: Phone, command: HandsetCommand) {
        if let Some(base) = self.world.bases.get(phone.base) {
            base.command(phone.ipei, command).await;
        }
    }

    /// Waits until something is so; the words say what is wrong if it does not come to be.
    async fn until(&mut self, words: &str, so: impl Fn(&Server, &Noticed) -> bool) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let server = self.server().await;
            if so(&server, &self.noticed) {
                return Ok(());
            }
            if let Some(refused) = self.noticed.refused.take() {
                return Err(format!("{words}: {refused}"));
            }
            if Instant::now() >= end {
                return Err(words.to_owned());
            }
            match timeout(LOOK, self.news.recv()).await {
                Ok(Some(news)) => self.notice(news),
                Ok(None) => return Err(words.to_owned()),
                // Nothing new; the server may have gone on.
                Err(_) => {}
            }
        }
    }

    /// What the server says of itself.
    async fn server(&self) -> Server {
        let status = self.world.server.status().await.unwrap_or_default();
        Server {
            base_stations: status.base_stations.iter().filter(|base| base.state == "connected").count(),
            registered: status.handsets.iter().filter(|handset| handset.registered).count(),
        }
    }

    fn notice(&mut self, news: News) {
        match news {
            News::FrontEnd(event) => {
                self.watched.take(&event);
                match event {
                    FrontEndEvent::Registered { user, .. } => {
                        self.noticed.registered.insert(user, true);
                    }
                    FrontEndEvent::Deregistered { user, .. } => {
                        self.noticed.registered.insert(user, false);
                    }
                    _ => {}
                }
            }
            News::Alice(report) => self.noticed.alice(report),
            News::Base(report) => self.noticed.base(report),
        }
    }
}

/// What a condition can ask of the server, beside what was noticed outside.
struct Server {
    base_stations: usize,
    registered: usize,
}

impl Noticed {
    fn is_registered(&self, user: &str) -> bool {
        self.registered.iter().any(|(name, registered)| name.contains(user) && *registered)
    }

    fn alice(&mut self, report: LyncUserReport) {
        match report {
            LyncUserReport::Event(event) => match event {
                UserEvent::Incoming { .. } => self.ringing_at_alice = true,
                UserEvent::Connected { .. } => self.alice_connected = true,
                UserEvent::Way { .. } => self.way = true,
                UserEvent::Held { by: Side::Them, .. } => self.held = true,
                UserEvent::Retrieved { by: Side::Them, .. } => self.retrieved = true,
                UserEvent::Released { .. } => self.alice_released = true,
                UserEvent::Media { srtp, suite, mki, lifetime, .. } => {
                    self.alice_media = Some(Media { srtp, suite, mki, lifetime });
                }
                UserEvent::RegistrationFailed { reason, .. } => self.refused = Some(reason),
                _ => {}
            },
            LyncUserReport::Spoken { .. } => self.alice_spoke = true,
            LyncUserReport::Talked { report, .. } => self.alice_heard = Some(report),
            LyncUserReport::Failed(reason) | LyncUserReport::Disconnected(reason) => {
                self.refused = Some(reason);
            }
            _ => {}
        }
    }

    fn base(&mut self, report: BaseStationReport) {
        match report {
            BaseStationReport::Handset { ipei, event } => {
                let handset = self.handset.entry(ipei).or_default();
                match event {
                    HandsetEvent::Subscribed { .. } => {
                        self.subscribed.insert(ipei, true);
                    }
                    HandsetEvent::SubscriptionFailed { reason } | HandsetEvent::LocationFailed { reason } => {
                        self.refused = Some(format!("handset {ipei}: {reason}"));
                    }
                    HandsetEvent::Ring { .. } => handset.ringing = true,
                    HandsetEvent::Connected => handset.connected = true,
                    HandsetEvent::Released { .. } => handset.released = true,
                    _ => {}
                }
            }
            BaseStationReport::ServerUp { .. } => self.bases_up += 1,
            BaseStationReport::Talking { ipei } => self.handset.entry(ipei).or_default().talking = true,
            BaseStationReport::Spoken { ipei } => self.handset.entry(ipei).or_default().spoke = true,
            BaseStationReport::Talked { ipei, report, .. } => {
                self.handset.entry(ipei).or_default().heard = Some(report);
            }
            BaseStationReport::Refused { text } => self.refused = Some(text),
            BaseStationReport::Failed { reason, .. } => self.refused = Some(reason),
            _ => {}
        }
    }
}

fn forward<T: Send + 'static>(
    mut from: mpsc::UnboundedReceiver<T>,
    to: mpsc::UnboundedSender<News>,
    wrap: fn(T) -> News,
) {
    tokio::spawn(async move {
        while let Some(report) = from.recv().await {
            if to.send(wrap(report)).is_err() {
                return;
            }
        }
    });
}

/// How well a sentence is heard in a recording that began before it was spoken.
fn heard(spoken: &[i16], recorded: &[i16]) -> f64 {
    let speech = |samples: &[i16]| samples.iter().position(|sample| sample.unsigned_abs() > SPEECH);
    let (Some(first), Some(begin)) = (speech(spoken), speech(recorded)) else { return 0.0 };
    // As much silence before the recorded sentence as before the spoken one, and a little for the search.
    let start = begin.saturating_sub(first + 400);
    audio_match(spoken, &recorded[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delayed_sentence_is_heard_and_another_one_or_silence_is_not() {
        let [first, second] = sentences();
        let mut recorded = vec![3i16; 9_000];
        recorded.extend(&first);
        assert!(heard(&first, &recorded) > 0.95);
        assert!(heard(&second, &recorded) < 0.6, "swapped: {}", heard(&second, &recorded));
        assert!(heard(&first, &vec![0; 30_000]) < 0.1, "one way");
        assert!(heard(&first, &[]) < 0.1);
    }
}
