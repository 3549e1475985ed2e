//! What the bandwidth policy admits, and what becomes of a call it does not admit.

use crate::ice::role::Role;
use crate::stun::PathResponse;

/// Which paths a check list may keep.
///
/// MS-TURNBWM 3.1, MS-ICE2 3.1.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Admitted {
    /// Own addresses at this end.
    pub local_direct: bool,
    /// A relay at this end.
    pub local_relayed: bool,
    /// Own addresses at the peer's end.
    pub remote_direct: bool,
    /// A relay at the peer's end.
    pub remote_relayed: bool,
}

impl Admitted {
    /// Everything: there is no policy.
    ///
    /// MS-TURNBWM 3.1
    pub const ALL: Self =
        Self { local_direct: true, local_relayed: true, remote_direct: true, remote_relayed: true };

    /// Nothing: the call has no path.
    ///
    /// MS-TURNBWM 3.1
    pub const NONE: Self =
        Self { local_direct: false, local_relayed: false, remote_direct: false, remote_relayed: false };

    /// Whether a pair is on an admitted path.
    ///
    /// MS-TURNBWM 3.1
    pub const fn admits(self, local_relayed: bool, remote_relayed: bool) -> bool {
        let local = if local_relayed { self.local_relayed } else { self.local_direct };
        let remote = if remote_relayed { self.remote_relayed } else { self.remote_direct };
        local && remote
    }

    /// Whether any pair is left.
    ///
    /// MS-TURNBWM 3.1
    pub const fn is_any(self) -> bool {
        (self.local_direct || self.local_relayed) && (self.remote_direct || self.remote_relayed)
    }
}

/// The answer of the policy for one leg of the path.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Leg {
    /// The policy has decided about this leg: without that it is not restricted.
    pub decided: bool,
    /// The leg may be used.
    pub valid: bool,
    /// A refused call may go over the PSTN.
    pub pstn_failover: bool,
    /// Most kilobits per second to be sent.
    pub send: u32,
    /// Most kilobits per second to be received.
    pub receive: u32,
}

impl From<Option<PathResponse>> for Leg {
    fn from(response: Option<PathResponse>) -> Self {
        response.map_or_else(Self::default, |response| Self {
            decided: true,
            valid: response.valid,
            pstn_failover: response.pstn_failover,
            send: response.max_send,
            receive: response.max_receive,
        })
    }
}

/// The answers for the four legs a path can have.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Legs {
    /// Our own addresses.
    pub local_site: Leg,
    /// Our relay.
    pub local_relay: Leg,
    /// The peer's own addresses.
    pub remote_site: Leg,
    /// The peer's relay.
    pub remote_relay: Leg,
}

/// What becomes of a call.
///
/// MS-TURNBWM 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It goes on, on these paths and within this rate.
    Admitted {
        /// The paths that are left.
        paths: Admitted,
        /// Most kilobits per second to be sent on any of them.
        send: u32,
        /// Most kilobits per second to be received.
        receive: u32,
    },
    /// The caller gives up.
    Fail,
    /// The call is made again over the PSTN.
    RedirectOverPstn,
    /// The callee refuses: the offer cannot be accepted here.
    NotAcceptable,
}

/// Decides what becomes of a call from the answers of the policy. Which of the three refusals applies was inferred from
/// the names that Microsoft's own interface gives them.
///
/// MS-TURNBWM 3.1
pub const fn decide(legs: &Legs, role: Role) -> Outcome {
    const fn open(leg: Leg) -> bool {
        !leg.decided || leg.valid
    }
    let paths = Admitted {
        local_direct: open(legs.local_site),
        local_relayed: open(legs.local_relay),
        remote_direct: open(legs.remote_site),
        remote_relayed: open(legs.remote_relay),
    };
    if paths.is_any() {
        const fn of(leg: Leg, rate: u32, most: u32) -> u32 {
            if leg.decided && leg.valid && rate < most { rate } else { most }
        }
        // What every admitted leg can carry.
        let mut send = u32::MAX;
        send = of(legs.local_site, legs.local_site.send, send);
        send = of(legs.local_relay, legs.local_relay.send, send);
        send = of(legs.remote_site, legs.remote_site.send, send);
        send = of(legs.remote_relay, legs.remote_relay.send, send);
        let mut receive = u32::MAX;
        receive = of(legs.local_site, legs.local_site.receive, receive);
        receive = of(legs.local_relay, legs.local_relay.receive, receive);
        receive = of(legs.remote_site, legs.remote_site.receive, receive);
        receive = of(legs.remote_relay, legs.remote_relay.receive, receive);
        return Outcome::Admitted { paths, send, receive };
    }
    const fn failover(leg: Leg) -> bool {
        leg.decided && leg.pstn_failover
    }
    if failover(legs.local_site)
        || failover(legs.local_relay)
        || failover(legs.remote_site)
        || failover(legs.remote_relay)
    {
        Outcome::RedirectOverPstn
    } else {
        match role {
            Role::Controlling => Outcome::Fail,
            Role::Controlled => Outcome::NotAcceptable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Leg = Leg { decided: true, valid: true, pstn_failover: false, send: 100, receive: 200 };
    const NO: Leg = Leg { decided: true, valid: false, pstn_failover: false, send: 0, receive: 0 };
    const NO_BUT_PSTN: Leg = Leg { pstn_failover: true, ..NO };

    #[test]
    fn without_a_policy_everything_is_admitted() {
        let outcome = decide(&Legs::default(), Role::Controlling);
        assert_eq!(outcome, Outcome::Admitted { paths: Admitted::ALL, send: u32::MAX, receive: u32::MAX });
    }

    #[test]
    fn a_refused_leg_leaves_the_paths_over_the_other_one() {
        let legs = Legs { local_site: NO, local_relay: YES, ..Legs::default() };
        let Outcome::Admitted { paths, send, receive } = decide(&legs, Role::Controlled) else { panic!() };
        assert_eq!((send, receive), (100, 200));
        assert!(!paths.admits(false, false) && !paths.admits(false, true));
        assert!(paths.admits(true, false) && paths.admits(true, true));
    }

    #[test]
    fn a_call_without_a_path_has_one_of_three_ends() {
        let all = |leg| Legs { local_site: leg, local_relay: leg, ..Legs::default() };
        assert_eq!(decide(&all(NO), Role::Controlling), Outcome::Fail);
        assert_eq!(decide(&all(NO), Role::Controlled), Outcome::NotAcceptable);
        assert_eq!(decide(&all(NO_BUT_PSTN), Role::Controlling), Outcome::RedirectOverPstn);
        assert_eq!(decide(&all(NO_BUT_PSTN), Role::Controlled), Outcome::RedirectOverPstn);
        let far = Legs { remote_site: NO, remote_relay: NO, ..Legs::default() };
        assert_eq!(decide(&far, Role::Controlling), Outcome::Fail);
    }
}
