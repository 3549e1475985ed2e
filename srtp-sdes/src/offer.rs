//! The offerer: writes the lines, reads the one that answers.

use crate::agreed::Agreed;
use crate::error::{Breach, Error, Refusal};
use crate::key::{KeySource, Seed};
use crate::negotiation::{NegotiationConfig, Profile, SrtpPolicy, is_crypto, occurs};
use crate::{CryptoAttribute, KeyParameter, SessionParameter};

/// An offer that waits for its answer. The answer consumes it; where an INVITE forks, each branch answers a clone.
///
/// RFC 4568 7.1.1
#[derive(Clone, Debug)]
pub struct Offered {
    policy: SrtpPolicy,
    profile: Profile,
    lines: Vec<CryptoAttribute>,
    mki_needs_answer: bool,
}

impl Offered {
    /// A first offer: a fresh key on each line, for each suite one line with an MKI and one without.
    ///
    /// RFC 4568 7.1.1, MS-SDPEXT 3.1.5.1
    pub fn new(config: &NegotiationConfig, seed: Seed) -> Self {
        let mut source = KeySource::new(seed);
        let mut lines = Vec::new();
        let suites: &[_] = if config.policy == SrtpPolicy::Off { &[] } else { &config.suites };
        for suite in suites {
            let mkis = [config.include_mki.then(|| config.mki.clone()), None];
            // Without the setting both are the same line.
            for mki in mkis.into_iter().skip(usize::from(!config.include_mki)) {
                let (key, salt) = source.draw(*suite);
                let mut key = KeyParameter::new(key, salt);
                key.lifetime = config.include_lifetime.then(|| config.lifetime.clone());
                key.mki = mki;
                lines.push(CryptoAttribute::new(lines.len() as u32 + 1, *suite, key));
            }
        }
        let profile = match config.policy {
            SrtpPolicy::Off | SrtpPolicy::Enabled => Profile::Avp,
            SrtpPolicy::Required => Profile::Savp,
        };
        Self { policy: config.policy, profile, lines, mki_needs_answer: config.mki_needs_answer }
    }

    /// A later offer of the same call: the line that was agreed, with its key, alone; without one a first offer again.
    ///
    /// RFC 3264 8, RFC 4568 7.1.4
    pub fn again(config: &NegotiationConfig, agreed: &Agreed, seed: Seed) -> Self {
        match agreed {
            Agreed::Clear => Self::new(config, seed),
            Agreed::Protected { local, .. } => {
                // Once secured, both sides say RTP/SAVP.
                let lines = vec![(**local).clone()];
                let mki_needs_answer = config.mki_needs_answer;
                Self { policy: config.policy, profile: Profile::Savp, lines, mki_needs_answer }
            }
        }
    }

    /// The profile of the media line: clear with lines beside it while SRTP is optional.
    ///
    /// MS-SDPEXT 3.1.5.1
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The values behind `a=crypto:`, in order of preference.
    ///
    /// RFC 4568 4.1
    pub fn attributes(&self) -> Vec<String> {
        self.lines.iter().map(ToString::to_string).collect()
    }

    /// Takes the answer. We send with the key of our line whose tag was answered, and receive with the answer's.
    ///
    /// RFC 4568 7.1.3
    pub fn answer(self, profile: Profile, lines: &[&str]) -> Result<Agreed, Error> {
        let mut crypto = lines.iter().filter(|line| is_crypto(line));
        let (Some(line), None) = (crypto.next(), crypto.next()) else {
            return self.answer_without_line(profile, lines);
        };
        if self.lines.is_empty() {
            return Err(Error::Misbehaved(Breach::NotOffered));
        }
        let remote = CryptoAttribute::parse(line)?;
        let local = self
            .lines
            .iter()
            .find(|offered| offered.tag == remote.tag)
            .ok_or(Error::Misbehaved(Breach::UnknownTag))?;
        if local.suite != remote.suite {
            return Err(Error::Misbehaved(Breach::OtherSuite));
        }
        if !same_negotiated_parameters(local, &remote) {
            return Err(Error::Misbehaved(Breach::OtherParameters));
        }
        let offered = || self.lines.iter().flat_map(|line| &line.keys);
        if remote.keys.iter().any(|key| occurs(key, offered())) {
            return Err(Error::Misbehaved(Breach::RepeatedKey));
        }
        // A profile of RTP/AVP beside a crypto line is what stacks answer that repeat the offered profile.
        let mut local = local.clone();
        if self.mki_needs_answer && remote.mki().is_none() {
            for key in &mut local.keys {
                key.mki = None;
            }
        }
        Agreed::protected(local, remote)
    }

    fn answer_without_line(&self, profile: Profile, lines: &[&str]) -> Result<Agreed, Error> {
        if lines.iter().any(|line| is_crypto(line)) {
            return Err(Error::Misbehaved(Breach::SeveralLines));
        }
        match (profile, self.profile, self.policy) {
            (Profile::Savp, _, SrtpPolicy::Off) => Err(Error::Misbehaved(Breach::OtherProfile)),
            (Profile::Savp, _, _) => Err(Error::Misbehaved(Breach::NoLine)),
            (Profile::Avp, Profile::Savp, _) | (Profile::Avp, _, SrtpPolicy::Required) => {
                Err(Error::Refused(Refusal::CryptoRequired))
            }
            (Profile::Avp, Profile::Avp, SrtpPolicy::Off | SrtpPolicy::Enabled) => Ok(Agreed::Clear),
        }
    }
}

/// The answer repeats the negotiated parameters of the offered line and adds none.
fn same_negotiated_parameters(offered: &CryptoAttribute, answered: &CryptoAttribute) -> bool {
    let has =
        |line: &CryptoAttribute, parameter: &SessionParameter| line.session_parameters.contains(parameter);
    let missing = |from: &CryptoAttribute, of: &CryptoAttribute| {
        of.session_parameters.iter().any(|parameter| parameter.is_negotiated() && !has(from, parameter))
    };
    !missing(offered, answered) && !missing(answered, offered)
}
