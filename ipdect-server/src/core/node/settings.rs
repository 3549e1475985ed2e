//! The configuration in the words of the protocol crates, and an IPUI in those of the store.

use dect_nwk::identity::Ipui;

use crate::config::{Activity, Configuration, DoNotDisturb, MediaEncryption, OutOfRange, Transport};

/// An IPUI as the store keeps it: how many bits, then the bits as a number of 16 octets.
pub(super) fn ipui_to_octets(ipui: &Ipui) -> Vec<u8> {
    let mut octets = vec![ipui.bit_count()];
    octets.extend_from_slice(&ipui.bits().to_be_bytes());
    octets
}

pub(super) fn ipui_from_octets(octets: &[u8]) -> Option<Ipui> {
    let (count, bits) = octets.split_first()?;
    Ipui::from_bits(*count, u128::from_be_bytes(bits.try_into().ok()?)).ok()
}

pub(super) fn endpoint_config(configuration: &Configuration) -> sip_lync::Config {
    let mut config = sip_lync::Config::new(configuration.network.hostname.clone());
    config.listen_port = configuration.sip.listen.port();
    config.transport = match configuration.sip.transport {
        Transport::Tls => sip_lync::Transport::Tls,
        Transport::Tcp => sip_lync::Transport::Tcp,
    };
    concat!("UCCAPI/4.0 ipdect-server/", env!("CARGO_PKG_VERSION")).clone_into(&mut config.user_agent);
    config.gruu = configuration.sip.gruu;
    config.event_categories = configuration.sip.gruu;
    config.use_sips_uri = configuration.sip.use_sips_uri;
    config
}

pub(super) fn presence_config(configuration: &Configuration) -> presence_pidf::PresenceConfig {
    let given = configuration.presence;
    let mut config = presence_pidf::PresenceConfig::new();
    config.t1 = given.available.0;
    config.t2 = given.inactive.0;
    config.out_of_range = match given.out_of_range {
        OutOfRange::Keep => presence_pidf::OutOfRange::Keep,
        OutOfRange::Away => presence_pidf::OutOfRange::Away,
    };
    config.dnd = match given.dnd {
        DoNotDisturb::Local => presence_pidf::Dnd::Local,
        DoNotDisturb::Publish => presence_pidf::Dnd::Publish,
    };
    config.show_conference = if given.show_conference {
        presence_pidf::ShowConference::Yes
    } else {
        presence_pidf::ShowConference::No
    };
    config.activity = match given.activity {
        Activity::Calls => presence_pidf::CountedActivity::Calls,
        Activity::AnyUse => presence_pidf::CountedActivity::AnyUse,
    };
    config
}

pub(super) fn srtp_policy(encryption: MediaEncryption) -> srtp_sdes::SrtpPolicy {
    match encryption {
        MediaEncryption::Off => srtp_sdes::SrtpPolicy::Off,
        MediaEncryption::Enabled => srtp_sdes::SrtpPolicy::Enabled,
        MediaEncryption::Required => srtp_sdes::SrtpPolicy::Required,
    }
}
