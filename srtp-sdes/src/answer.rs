//! The answerer: chooses one line and writes its own.

use crate::agreed::Agreed;
use crate::error::Refusal;
use crate::key::{KeySource, Seed};
use crate::negotiation::{NegotiationConfig, Profile, SrtpPolicy, is_crypto, occurs};
use crate::{CryptoAttribute, KeyParameter};

/// The answer to an offer: what goes on the media line and beside it, and what both sides do from now on.
///
/// RFC 4568 7.1.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// The profile of the answer's media line.
    pub profile: Profile,
    /// The value behind `a=crypto:`, if the answer has one.
    pub attribute: Option<String>,
    /// The result.
    pub agreed: Agreed,
}

/// Answers an offer: the profile of its media line and its crypto lines, others among them are passed over.
///
/// With `include_mki` the first acceptable line that has an MKI is taken, without it the first that has none, else the first
/// acceptable one. The answer has that line's tag, MKI and text of lifetime, and a key of its own.
///
/// RFC 4568 7.1.2, MS-SDPEXT 3.1.5.1
pub fn answer(
    config: &NegotiationConfig,
    profile: Profile,
    lines: &[&str],
    seed: Seed,
) -> Result<Answered, Refusal> {
    answer_again(config, &Agreed::Clear, profile, lines, seed)
}

/// Answers a later offer of the same call: a line whose key was agreed before gets the key that answered it, so that nothing
/// changes.
///
/// RFC 3264 8, RFC 4568 7.1.4
pub fn answer_again(
    config: &NegotiationConfig,
    agreed: &Agreed,
    profile: Profile,
    lines: &[&str],
    seed: Seed,
) -> Result<Answered, Refusal> {
    if config.policy == SrtpPolicy::Off {
        return match profile {
            Profile::Avp => Ok(clear()),
            Profile::Savp => Err(Refusal::CryptoForbidden),
        };
    }
    let offered = offered_lines(lines);
    let Some(remote) = choose(config, agreed, &offered) else {
        let has_lines = lines.iter().any(|line| is_crypto(line));
        return match (profile, config.policy) {
            (Profile::Savp, _) => Err(Refusal::NoUsableCrypto),
            (Profile::Avp, SrtpPolicy::Required) if has_lines => Err(Refusal::NoUsableCrypto),
            (Profile::Avp, SrtpPolicy::Required) => Err(Refusal::CryptoRequired),
            (Profile::Avp, _) => Ok(clear()),
        };
    };
    let local = own_line(agreed, remote, &offered, seed);
    let attribute = local.to_string();
    let agreed = Agreed::protected(local, remote.clone()).map_err(|_| Refusal::NoUsableCrypto)?;
    // Lync: an offer of RTP/AVP with crypto lines is answered RTP/SAVP.
    Ok(Answered { profile: Profile::Savp, attribute: Some(attribute), agreed })
}

const fn clear() -> Answered {
    Answered { profile: Profile::Avp, attribute: None, agreed: Agreed::Clear }
}

/// The lines that can be read; of equal tags the first.
fn offered_lines(lines: &[&str]) -> Vec<CryptoAttribute> {
    let mut offered: Vec<CryptoAttribute> = Vec::new();
    for line in lines.iter().filter(|line| is_crypto(line)) {
        if let Ok(line) = CryptoAttribute::parse(line)
            && offered.iter().all(|other| other.tag != line.tag)
        {
            offered.push(line);
        }
    }
    offered
}

fn choose<'a>(
    config: &NegotiationConfig,
    agreed: &Agreed,
    offered: &'a [CryptoAttribute],
) -> Option<&'a CryptoAttribute> {
    let acceptable = || offered.iter().filter(|line| config.accepts(line));
    let before = |line: &&CryptoAttribute| match agreed {
        Agreed::Clear => false,
        Agreed::Protected { remote, .. } => same_keys(remote, line),
    };
    acceptable()
        .find(before)
        .or_else(|| acceptable().find(|line| line.mki().is_some() == config.include_mki))
        .or_else(|| acceptable().next())
}

/// Whether a line brings the keys of an earlier one.
fn same_keys(before: &CryptoAttribute, now: &CryptoAttribute) -> bool {
    before.suite == now.suite
        && before.keys == now.keys
        && before.session_parameters == now.session_parameters
}

fn own_line(
    agreed: &Agreed,
    remote: &CryptoAttribute,
    offered: &[CryptoAttribute],
    seed: Seed,
) -> CryptoAttribute {
    if let Agreed::Protected { local, remote: before, .. } = agreed
        && same_keys(before, remote)
        && local.mki().is_some() == remote.mki().is_some()
    {
        return (**local).clone().with_tag_of(remote);
    }
    let mut source = KeySource::new(seed);
    let key = loop {
        let (key, salt) = source.draw(remote.suite);
        let key = KeyParameter::new(key, salt);
        // One key in both directions would be one key stream twice.
        if !occurs(&key, offered.iter().flat_map(|line| &line.keys)) {
            break key;
        }
    };
    let first = remote.keys.first();
    let key = KeyParameter {
        lifetime: first.and_then(|key| key.lifetime.clone()),
        mki: first.and_then(|key| key.mki.clone()),
        ..key
    };
    let mut line = CryptoAttribute::new(remote.tag, remote.suite, key).with_tag_of(remote);
    line.session_parameters =
        remote.session_parameters.iter().filter(|parameter| parameter.is_negotiated()).cloned().collect();
    line
}
