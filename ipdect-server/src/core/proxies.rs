//! The connections with the proxies: whom to dial is what [`Homes`] advises, the flows are kept here.
//!
//! There is one connection on which registrations go. While a better proxy is tried again there is a second one, and the
//! first is left only when a registration stands on the second.

use std::time::{Duration, Instant};

use sip_lync::SipUri;
use sip_lync::homes::{Advice, AfterLoss, Homes, HomesConfig, Proxy, ProxyId};

use super::vocabulary::FlowId;

/// A proxy that fails is left alone so long, then twice as long and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// A connection on which users were registered for so long has served.
const PROVEN: Duration = Duration::from_secs(5);
/// After the loss of a connection that has served, the best proxy is tried again within so long.
const REST: Duration = Duration::from_secs(1);

/// One connection, being opened or open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The flow.
    pub(crate) flow: FlowId,
    /// Index of the proxy in the configuration.
    pub(crate) proxy: usize,
    id: ProxyId,
}

/// What a connection that has come about is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Nobody asked for it any more.
    Unasked,
    /// Registrations go there.
    Home,
    /// A better proxy than the one where registrations stand: one user tries it.
    Trial,
}

/// The choice of a proxy, and the flows that come of it.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    homes: Homes,
    /// As they are configured; equal ones are one.
    uris: Vec<SipUri>,
    dialling: Option<Way>,
    home: Option<Way>,
    trial: Option<Way>,
    next_flow: u32,
    stopped: bool,
}

impl Proxies {
    /// Nothing is dialled before [`Self::dial`]. Each is a URI with its priority and weight.
    pub(crate) fn new(listed: Vec<(SipUri, u16, u16)>, seed: [u8; 32]) -> Self {
        let mut config = HomesConfig::default();
        config.pause_lowest = FIRST_PAUSE;
        config.pause_highest = LAST_PAUSE;
        config.proven = PROVEN;
        config.after_loss = AfterLoss::Wait(REST);
        let mut homes = Homes::new(config, sip_lync::Seed(seed));
        let uris = listed.iter().map(|(uri, _, _)| uri.clone()).collect();
        homes.set_proxies(
            listed.into_iter().map(|(uri, priority, weight)| Proxy::new(uri, priority, weight)).collect(),
        );
        Self { homes, uris, dialling: None, home: None, trial: None, next_flow: 0, stopped: false }
    }

    /// What to dial now, if anything.
    pub(crate) fn dial(&mut self, now: Instant) -> Option<(FlowId, usize)> {
        if self.stopped || self.dialling.is_some() || self.trial.is_some() {
            return None;
        }
        let Advice::Connect(id) = self.homes.advice(now) else { return None };
        let uri = &self.homes.proxy(id)?.uri;
        let proxy = self.uris.iter().position(|listed| listed == uri)?;
        let flow = FlowId(self.next_flow);
        self.next_flow = (self.next_flow + 1) % FlowId::FIRST_ACCEPTED;
        self.dialling = Some(Way { flow, proxy, id });
        Some((flow, proxy))
    }

    /// The connection stands.
    pub(crate) fn opened(&mut self, now: Instant, flow: FlowId) -> Opened {
        let Some(way) = self.dialling.take_if(|way| way.flow == flow) else { return Opened::Unasked };
        if self.home.is_some() {
            self.trial = Some(way);
            return Opened::Trial;
        }
        self.homes.connected(now, way.id);
        self.home = Some(way);
        Opened::Home
    }

    /// A user is registered on the connection where registrations go.
    pub(crate) fn registered(&mut self, now: Instant) {
        if let Some(way) = self.home {
            self.homes.registered(now, way.id);
        }
    }

    /// The proxy that was tried serves: registrations go there from now on. The connection that is left.
    pub(crate) fn tried(&mut self, now: Instant) -> Option<Way> {
        let way = self.trial.take()?;
        self.homes.registered(now, way.id);
        self.home.replace(way)
    }

    /// A connection could not be opened, or broke. Its proxy, if it was one of ours.
    pub(crate) fn lost(&mut self, now: Instant, flow: FlowId) -> Option<Way> {
        if let Some(way) = self.home.take_if(|way| way.flow == flow) {
            self.homes.lost(now, way.id);
            // What was on trial is all there is now.
            self.home = self.trial.take();
            if let Some(way) = self.home {
                self.homes.connected(now, way.id);
            }
            return Some(way);
        }
        let failed = |way: &mut Way| way.flow == flow;
        let way = self.dialling.take_if(failed).or_else(|| self.trial.take_if(failed))?;
        self.homes.failed(now, way.id);
        Some(way)
    }

    /// A proxy answers, but cannot serve.
    pub(crate) fn refused(&mut self, now: Instant, flow: FlowId) {
        let failed = |way: &mut Way| way.flow == flow;
        if let Some(way) = self.home.take_if(failed).or_else(|| self.trial.take_if(failed)) {
            self.homes.failed(now, way.id);
        }
        if self.home.is_none() {
            self.home = self.trial.take();
            if let Some(way) = self.home {
                self.homes.connected(now, way.id);
            }
        }
    }

    /// When [`Self::dial`] may have something.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if self.stopped || self.dialling.is_some() || self.trial.is_some() {
            return None;
        }
        self.homes.poll_timeout(now)
    }

    /// Stops for good.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// The connection where registrations go.
    pub(crate) const fn home(&self) -> Option<Way> {
        self.home
    }

    /// The better one that is tried.
    pub(crate) const fn trial(&self) -> Option<Way> {
        self.trial
    }

    /// The one that is being opened.
    pub(crate) const fn dialling(&self) -> Option<Way> {
        self.dialling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Proxies {
        let uri = |text: &str| text.parse().expect("a URI");
        let listed = vec![(uri("sip:fe1:5061"), 2, 100), (uri("sip:sba:5061"), 1, 100)];
        Proxies::new(listed, [7; 32])
    }

    #[test]
    fn the_branch_appliance_is_dialled_first_and_the_front_end_when_it_fails() {
        let now = Instant::now();
        let mut proxies = two();
        let (first, proxy) = proxies.dial(now).expect("a proxy");
        assert_eq!(proxy, 1);
        assert_eq!(proxies.dial(now), None, "one at a time");
        assert_eq!(proxies.lost(now, first).map(|way| way.proxy), Some(1));
        let (second, proxy) = proxies.dial(now).expect("the other proxy");
        assert_eq!(proxy, 0);
        assert_eq!(proxies.opened(now, second), Opened::Home);
        assert_eq!(proxies.opened(now, first), Opened::Unasked, "an old flow is not taken");
        assert_eq!(proxies.lost(now, first), None, "a second report changes nothing");
    }

    #[test]
    fn when_all_fail_the_pauses_grow_to_their_limit() {
        let mut now = Instant::now();
        let mut proxies = two();
        let started = now;
        let mut dialled = 0;
        while now < started + Duration::from_mins(10) {
            while let Some((flow, _)) = proxies.dial(now) {
                dialled += 1;
                proxies.lost(now, flow);
            }
            let next = proxies.poll_timeout(now).expect("a pause");
            assert!(next > now && next - now <= LAST_PAUSE);
            now = next;
        }
        assert!((40..100).contains(&dialled), "{dialled} in ten minutes with two proxies");
    }

    #[test]
    fn a_better_proxy_gets_the_users_back_only_when_one_of_them_is_registered_there() {
        let mut now = Instant::now();
        let mut proxies = two();
        let (sba, _) = proxies.dial(now).expect("a proxy");
        proxies.lost(now, sba);
        let (home, _) = proxies.dial(now).expect("the front end");
        proxies.opened(now, home);
        proxies.registered(now);
        let mut tried = 0;
        while tried < 2 {
            now = proxies.poll_timeout(now).expect("a way back");
            let Some((trial, proxy)) = proxies.dial(now) else { continue };
            assert_eq!((proxy, proxies.opened(now, trial)), (1, Opened::Trial));
            assert_eq!(proxies.home().map(|way| way.flow), Some(home));
            tried += 1;
            if tried == 1 {
                proxies.refused(now, trial);
                assert_eq!(proxies.home().map(|way| way.flow), Some(home), "it serves nobody");
            } else {
                assert_eq!(proxies.tried(now).map(|way| way.flow), Some(home), "which is left");
                assert_eq!(proxies.home().map(|way| way.proxy), Some(1));
            }
        }
        assert!(now > Instant::now() + Duration::from_mins(9), "each after its time");
    }

    #[test]
    fn the_one_on_trial_is_home_when_the_other_breaks() {
        let mut now = Instant::now();
        let mut proxies = two();
        let (sba, _) = proxies.dial(now).expect("a proxy");
        proxies.lost(now, sba);
        let (home, _) = proxies.dial(now).expect("the front end");
        proxies.opened(now, home);
        let trial = loop {
            now = proxies.poll_timeout(now).expect("a way back");
            if let Some((trial, _)) = proxies.dial(now) {
                break trial;
            }
        };
        proxies.opened(now, trial);
        assert_eq!(proxies.lost(now, home).map(|way| way.proxy), Some(0));
        assert_eq!(proxies.home().map(|way| way.flow), Some(trial));
        assert_eq!((proxies.trial(), proxies.dial(now)), (None, None));
        proxies.stop();
        proxies.lost(now, trial);
        assert_eq!((proxies.dial(now + LAST_PAUSE), proxies.poll_timeout(now)), (None, None));
    }
}
