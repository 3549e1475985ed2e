//! Whether media goes past the Mediation Server, straight to the gateway.

use crate::sdp::ms::same_bypass_id;

/// How bypass is switched on.
///
/// MS-SDPEXT 3.1.5
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setting {
    /// Never.
    #[default]
    Off,
    /// Within a site: both ends have the same identifier.
    BySite,
    /// The whole enterprise is one place; bandwidth policies are not applied.
    Always,
}

/// What is decided, and why.
///
/// MS-SDPEXT 3.1.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// Media goes straight to the gateway: G.711, and no admission control for this call.
    Bypass,
    /// It is switched off.
    SwitchedOff,
    /// One end belongs to no site.
    NoSite,
    /// The ends belong to different sites.
    OtherSite,
    /// The gateway cannot take media from clients.
    GatewayCannot,
}

/// Decides about bypass from the identifiers of both ends (`a=x-bypassid`) and the settings of the trunk.
///
/// MS-SDPEXT 3.1.5
pub fn decide(setting: Setting, ours: Option<&str>, theirs: Option<&str>, gateway_can: bool) -> Decision {
    match setting {
        Setting::Off => Decision::SwitchedOff,
        Setting::BySite | Setting::Always if !gateway_can => Decision::GatewayCannot,
        // In this mode all sites have one identifier: an end without one is no member of the enterprise's network.
        Setting::BySite | Setting::Always => match (ours, theirs) {
            (Some(ours), Some(theirs)) if same_bypass_id(ours, theirs) => Decision::Bypass,
            (Some(ours), Some(theirs)) if !is_empty(ours) && !is_empty(theirs) => Decision::OtherSite,
            _ => Decision::NoSite,
        },
    }
}

fn is_empty(id: &str) -> bool {
    id.trim_matches(['{', '}']).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_equal_identifiers_lead_past_the_mediation_server() {
        let (here, there) =
            ("{8D7F4A7F-0B1C-4A5E-9F7E-0123456789AB}", "8d7f4a7f-0b1c-4a5e-9f7e-0123456789ab");
        for setting in [Setting::BySite, Setting::Always] {
            assert_eq!(decide(setting, Some(here), Some(there), true), Decision::Bypass);
            assert_eq!(decide(setting, Some(here), Some(there), false), Decision::GatewayCannot);
            assert_eq!(decide(setting, Some(here), Some("other"), true), Decision::OtherSite);
            for (ours, theirs) in
                [(None, Some(there)), (Some(here), None), (None, None), (Some("{}"), Some("{}"))]
            {
                assert_eq!(decide(setting, ours, theirs, true), Decision::NoSite);
            }
        }
        assert_eq!(decide(Setting::Off, Some(here), Some(there), true), Decision::SwitchedOff);
    }
}
