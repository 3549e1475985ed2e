//! Who is asked, and who after them: endpoints of a user, others by the user's settings, agents of a group, another front
//! end, the telephone network.

use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use sip_lync::gruu::ConferenceUri;
use sip_lync::headers::HeaderName;
use sip_lync::{Method, Request, SipUri, Uri};

use super::registrar::EndpointKey;
use super::respond::Refusal;
use super::settings::{CallSettings, Hunting, ResponseGroup, ServerAddress};
use super::{FrontEnd, address};

/// Somebody who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) to: Place,
    /// Whose call it was, and why it came here.
    pub(super) retargeted: Option<(String, &'static str)>,
}

/// Where somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A registered endpoint.
    Endpoint(EndpointKey),
    /// Another front end, and what it is asked for.
    Server(ServerAddress, Uri),
    /// The telephone network, and the number.
    Gateway(ServerAddress, String),
    /// A service of the front end: the mixer, voice mail.
    Application(Uri),
}

/// Those who are asked at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) targets: Vec<Target>,
    /// How long, if somebody comes after them.
    pub(super) patience: Option<Duration>,
}

impl Round {
    fn of(to: Place) -> Self {
        Self { targets: vec![Target { to, retargeted: None }], patience: None }
    }
}

const AWAY: Refusal = Refusal::new(480, 0, "the user has no registered endpoint");
const UNKNOWN: Refusal = Refusal::new(404, 1003, "the user does not exist");
const NO_CONFERENCE: Refusal =
    Refusal::new(404, 3000, "there is no such conference, or no such service of it");
const LOOP: Refusal = Refusal::new(482, 13000, "the call is forwarded in a circle");

impl FrontEnd {
    /// Those whom a request means; never empty.
    pub(super) fn plan(&mut self, request: &Request) -> Result<VecDeque<Round>, Refusal> {
        let sensitive = request.headers.get(&HeaderName::MsSensitivity).map(str::trim);
        // A safe transfer reaches the one it names or nobody.
        let diverts = request.method == Method::Invite
            && !sensitive.is_some_and(|word| word.eq_ignore_ascii_case("private-no-diversion"));
        let mut rounds = self.rounds(&request.uri, diverts, &mut BTreeSet::new())?;
        rounds.retain(|round| !round.targets.is_empty());
        if rounds.is_empty() { Err(AWAY) } else { Ok(rounds) }
    }

    fn rounds(
        &mut self,
        uri: &Uri,
        diverts: bool,
        seen: &mut BTreeSet<String>,
    ) -> Result<VecDeque<Round>, Refusal> {
        if let Some(sip) = uri.sip()
            && !sip.host().eq_ignore_ascii_case(&self.config.domain)
            && let Some((key, _)) = self.registrar.of_contact(sip)
        {
            return Ok([Round::of(Place::Endpoint(key.clone()))].into());
        }
        if let Some(at) = self.group_of(uri) {
            return self.group(at, diverts, seen);
        }
        if let Some(service) = self.service_of(uri) {
            return service.map(|uri| [Round::of(Place::Application(uri))].into());
        }
        let user = match uri.sip() {
            Some(sip) if sip.opaque().is_some_and(|opaque| opaque.starts_with("app:voicemail")) => {
                self.config.voice_mail.as_ref().map(address::user_key).ok_or(UNKNOWN)?
            }
            Some(sip) if self.is_homed(sip) => address::user_key(sip),
            _ => match self.user_of_number(uri) {
                Some(user) => user,
                None => return self.telephone_network(uri),
            },
        };
        if let Some(token) = uri.sip().and_then(address::gruu_token) {
            let (key, _) = self.registrar.of_token(&user, token).ok_or(AWAY)?;
            return Ok([Round::of(Place::Endpoint(key.clone()))].into());
        }
        if !seen.insert(user.clone()) {
            return Err(LOOP);
        }
        let mut now = Round {
            targets: self
                .registrar
                .of_user(&user)
                .map(|(key, _)| Target { to: Place::Endpoint(key.clone()), retargeted: None })
                .collect(),
            patience: None,
        };
        if let (true, Some(server)) = (now.targets.is_empty(), self.elsewhere(&user)) {
            return Ok([Round::of(Place::Server(server, uri.clone()))].into());
        }
        let settings = match self.user(&user) {
            Some(user) if diverts => user.calls.clone(),
            _ => CallSettings::default(),
        };
        if let Some(forward) = &settings.forward {
            let rounds = self.rounds(forward, diverts, seen)?;
            return Ok(retargeted(rounds, &user, "forwarding"));
        }
        let more = settings.simultaneous.iter().map(|uri| (uri, "simultaneous_ring"));
        for (uri, why) in more.chain(settings.delegates.iter().map(|uri| (uri, "delegation"))) {
            let Ok(rounds) = self.rounds(uri, diverts, seen) else { continue };
            now.targets.extend(
                retargeted(rounds, &user, why).into_iter().next().into_iter().flat_map(|round| round.targets),
            );
        }
        let mut all = VecDeque::from([now]);
        if let Some(unanswered) = &settings.unanswered
            && let Ok(rounds) = self.rounds(unanswered, diverts, seen)
        {
            all[0].patience = Some(settings.patience);
            all.extend(retargeted(rounds, &user, "no_answer"));
        }
        Ok(all)
    }

    /// The service of the front end that a URI names, if it names one.
    fn service_of(&self, uri: &Uri) -> Option<Result<Uri, Refusal>> {
        if let Some(named) = uri.sip().and_then(ConferenceUri::of) {
            let found = self.conferences.get(named.id());
            let mixes = named.service() == ConferenceUri::AUDIO_VIDEO;
            return Some(found.filter(|_| mixes).map(|of| of.mixer.clone().into()).ok_or(NO_CONFERENCE));
        }
        if let Some(sip) = uri.sip()
            && sip.opaque().is_some_and(|opaque| opaque.starts_with("app:voicemail"))
            && self.config.voice_mail.is_none()
            && self.config.mailboxes
        {
            return Some(if self.is_homed(sip) { Ok(uri.clone()) } else { Err(UNKNOWN) });
        }
        let line = address::number(uri)?;
        let mixer = self.conferences.of_line(plain(&line))?;
        Some(Ok(mixer.clone().into()))
    }

    fn group_of(&self, uri: &Uri) -> Option<usize> {
        let user = uri.sip().map(address::user_key);
        let number = address::number(uri);
        self.config.groups.iter().position(|group| {
            let line = group.tel.as_deref().map(address::digits);
            user.as_deref() == Some(address::user_key(&group.uri).as_str())
                || (line.is_some() && line.as_deref().map(plain) == number.as_deref().map(plain))
        })
    }

    fn group(
        &mut self,
        at: usize,
        diverts: bool,
        seen: &mut BTreeSet<String>,
    ) -> Result<VecDeque<Round>, Refusal> {
        let Some(group) = self.config.groups.get(at).cloned() else { return Err(UNKNOWN) };
        let ResponseGroup { uri, mut agents, hunting, patience, overflow, .. } = group;
        if !seen.insert(address::user_key(&uri)) {
            return Err(LOOP);
        }
        if hunting == Hunting::RoundRobin && !agents.is_empty() {
            let turn = self.turns.entry(at).or_default();
            let first = *turn % agents.len();
            *turn = turn.wrapping_add(1);
            agents.rotate_left(first);
        }
        let name = address::user_key(&uri);
        let mut all: VecDeque<Round> = agents
            .into_iter()
            .map(|agent| Round { targets: self.endpoints(&agent), patience: Some(patience) })
            .filter(|round| !round.targets.is_empty())
            .collect();
        if hunting == Hunting::Parallel {
            let targets: Vec<Target> = all.drain(..).flat_map(|round| round.targets).collect();
            all.push_back(Round { targets, patience: Some(patience) });
        }
        let mut all = retargeted(all, &name, "response_group");
        if let Some(overflow) = overflow
            && let Ok(rounds) = self.rounds(&overflow, diverts, seen)
        {
            all.extend(retargeted(rounds, &name, "overflow"));
        }
        Ok(all)
    }

    /// The endpoints of an agent, whatever the agent's own settings are.
    fn endpoints(&self, agent: &SipUri) -> Vec<Target> {
        let user = address::user_key(agent);
        let keys = self.registrar.of_user(&user).map(|(key, _)| key.clone());
        keys.map(|key| Target { to: Place::Endpoint(key), retargeted: None }).collect()
    }

    /// A number that nobody here has.
    fn telephone_network(&self, uri: &Uri) -> Result<VecDeque<Round>, Refusal> {
        let ours = uri.sip().is_none_or(|sip| {
            sip.host().eq_ignore_ascii_case(&self.config.domain)
                || sip.host().eq_ignore_ascii_case(&self.config.host_name)
        });
        let number = address::number(uri).filter(|number| ours && !number.is_empty()).ok_or(UNKNOWN)?;
        let trunk = self.config.trunk.as_ref();
        // What cannot be reached over the trunk either.
        let no_route = Refusal::new(404, 1003, "the user does not exist");
        let trunk = trunk.ok_or(no_route)?;
        Ok([Round::of(Place::Gateway(trunk.gateway.clone(), number))].into())
    }

    /// The user whose line is called.
    fn user_of_number(&self, uri: &Uri) -> Option<String> {
        if let Some(sip) = uri.sip()
            && !sip.host().eq_ignore_ascii_case(&self.config.domain)
            && !sip.host().eq_ignore_ascii_case(&self.config.host_name)
        {
            return None;
        }
        let called = address::number(uri)?;
        self.directory.of_line(plain(&called)).map(|at| self.directory_key(at))
    }
}

fn plain(number: &str) -> &str {
    number.trim_start_matches('+')
}

fn retargeted(mut rounds: VecDeque<Round>, user: &str, why: &'static str) -> VecDeque<Round> {
    for target in rounds.iter_mut().flat_map(|round| &mut round.targets) {
        target.retargeted.get_or_insert_with(|| (user.to_owned(), why));
    }
    rounds
}
