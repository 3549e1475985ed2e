//! Fail-over and fail-back over an ordered list of proxies, in virtual time.

mod peer;

use std::time::{Duration, Instant};

use peer::origin;
use sip_lync::homes::{Advice, AfterLoss, Homes, HomesConfig, Proxy, ProxyId};
use sip_lync::{Seed, SipUri};

fn uri(host: &str) -> SipUri {
    SipUri::parse(&format!("sip:{host}:5061")).unwrap()
}

fn homes(seed: u8) -> Homes {
    let mut homes = Homes::new(HomesConfig::default(), Seed([seed; 32]));
    homes.set_proxies(vec![
        Proxy::new(uri("fe1"), 2, 100),
        Proxy::new(uri("fe2"), 3, 100),
        Proxy::new(uri("sba"), 1, 100),
    ]);
    homes
}

fn goes_to(homes: &Homes, now: Instant, host: &str) -> ProxyId {
    match homes.advice(now) {
        Advice::Connect(id) => {
            assert_eq!(homes.proxy(id).unwrap().uri.host(), host);
            id
        }
        other => panic!("{other:?} and not {host}"),
    }
}

#[test]
fn the_branch_appliance_comes_first_and_the_others_in_their_order() {
    let now = origin();
    let mut homes = homes(1);
    for host in ["sba", "fe1", "fe2"] {
        let id = goes_to(&homes, now, host);
        homes.failed(now, id);
    }
    let Advice::Wait(until) = homes.advice(now) else { panic!("everybody failed") };
    let pause = until - now;
    assert!(pause >= Duration::from_secs(5) && pause <= Duration::from_secs(10), "{pause:?}");
    assert!(matches!(homes.advice(until), Advice::Connect(_)));
    assert_eq!(homes.poll_timeout(now), Some(until));
}

#[test]
fn a_better_proxy_is_tried_again_after_a_while_and_never_at_once() {
    let mut now = origin();
    let mut homes = homes(2);
    let sba = goes_to(&homes, now, "sba");
    homes.failed(now, sba);
    let fe1 = goes_to(&homes, now, "fe1");
    homes.registered(now, fe1);
    now += Duration::from_mins(4);
    assert_eq!(
        homes.advice(now),
        Advice::Stay(fe1),
        "the appliance may be back, but this one has just been found"
    );
    now += Duration::from_mins(4);
    assert_eq!(goes_to(&homes, now, "sba"), sba);
    // It is still away: where we stand goes on.
    homes.failed(now, sba);
    assert_eq!(homes.advice(now), Advice::Stay(fe1));
    now += Duration::from_mins(10);
    homes.registered(now, goes_to(&homes, now, "sba"));
    assert_eq!(homes.advice(now + Duration::from_hours(9)), Advice::Stay(sba));
}

#[test]
fn the_pause_of_who_fails_again_and_again_grows_to_its_limit() {
    let mut now = origin();
    let mut homes = Homes::new(HomesConfig::default(), Seed([3; 32]));
    homes.set_proxies(vec![Proxy::new(uri("fe1"), 1, 1)]);
    let mut last = Duration::ZERO;
    for _ in 0..20 {
        let id = goes_to(&homes, now, "fe1");
        homes.failed(now, id);
        let Advice::Wait(until) = homes.advice(now) else { panic!() };
        last = until - now;
        assert!(last <= Duration::from_mins(10));
        now = until;
    }
    assert!(last >= Duration::from_mins(5));
}

#[test]
fn a_redirection_puts_the_home_servers_first() {
    let now = origin();
    let mut homes = homes(4);
    let sba = goes_to(&homes, now, "sba");
    assert!(homes.redirected(now, sba, vec![uri("home"), uri("backup")]));
    let home = goes_to(&homes, now, "home");
    homes.failed(now, home);
    let backup = goes_to(&homes, now, "backup");
    homes.registered(now, backup);
    assert_eq!(homes.advice(now), Advice::Stay(backup));
    homes.failed(now, backup);
    goes_to(&homes, now, "sba");
}

#[test]
fn servers_that_redirect_in_a_circle_are_not_followed_for_ever() {
    let now = origin();
    let mut homes = homes(5);
    let mut followed = 0;
    while let Advice::Connect(id) = homes.advice(now) {
        let next = if followed % 2 == 0 { "ping" } else { "pong" };
        if !homes.redirected(now, id, vec![uri(next)]) {
            break;
        }
        followed += 1;
        assert!(followed < 10);
    }
    assert_eq!(followed, 5);
}

#[test]
fn weights_share_out_those_who_come_first() {
    let mut first = 0;
    for seed in 0..=255 {
        let mut homes = Homes::new(HomesConfig::default(), Seed([seed; 32]));
        homes.set_proxies(vec![Proxy::new(uri("large"), 1, 75), Proxy::new(uri("small"), 1, 25)]);
        let Advice::Connect(id) = homes.advice(origin()) else { panic!() };
        first += u32::from(homes.proxy(id).unwrap().uri.host() == "large");
    }
    assert!((170..215).contains(&first), "{first} of 256");
}

#[test]
fn a_thousand_endpoints_do_not_come_back_in_the_same_moment() {
    let now = origin();
    let mut seconds = std::collections::BTreeMap::<u64, u32>::new();
    for at in 0..1000_u32 {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&at.to_le_bytes());
        let mut homes = Homes::new(HomesConfig::default(), Seed(seed));
        homes.set_proxies(vec![Proxy::new(uri("fe1"), 1, 1)]);
        let id = goes_to(&homes, now, "fe1");
        homes.failed(now, id);
        let Advice::Wait(until) = homes.advice(now) else { panic!() };
        *seconds.entry((until - now).as_secs()).or_default() += 1;
    }
    assert!(seconds.values().all(|count| *count < 300), "{seconds:?}");
}

#[test]
fn a_new_list_keeps_what_is_known_of_those_who_stay() {
    let now = origin();
    let mut homes = homes(6);
    let sba = goes_to(&homes, now, "sba");
    homes.failed(now, sba);
    homes.set_proxies(vec![Proxy::new(uri("sba"), 1, 1), Proxy::new(uri("fe3"), 2, 1)]);
    let fe3 = goes_to(&homes, now, "fe3");
    homes.registered(now, fe3);
    homes.set_proxies(vec![Proxy::new(uri("sba"), 1, 1)]);
    assert!(matches!(homes.advice(now), Advice::Wait(_)), "who is not in the list any more is left");
    assert_eq!(Homes::new(HomesConfig::default(), Seed([0; 32])).advice(now), Advice::Nobody);
}

fn waiting(seed: u8) -> Homes {
    let mut config = HomesConfig::default();
    config.pause_lowest = Duration::from_secs(1);
    config.pause_highest = Duration::from_secs(30);
    config.proven = Duration::from_secs(5);
    config.after_loss = AfterLoss::Wait(Duration::from_secs(1));
    let mut homes = Homes::new(config, Seed([seed; 32]));
    homes.set_proxies(vec![Proxy::new(uri("sba"), 1, 100), Proxy::new(uri("fe1"), 2, 100)]);
    homes
}

#[test]
fn who_loses_a_connection_that_served_goes_on_or_waits_as_the_owner_chose() {
    for (mut homes, waits) in [(homes(7), false), (waiting(7), true)] {
        let mut now = origin();
        let sba = goes_to(&homes, now, "sba");
        homes.connected(now, sba);
        assert_eq!(homes.advice(now), Advice::Stay(sba), "a connection without users is one, too");
        homes.registered(now, sba);
        now += Duration::from_mins(20);
        homes.lost(now, sba);
        if waits {
            let Advice::Wait(until) = homes.advice(now) else { panic!("{:?}", homes.advice(now)) };
            let rest = until - now;
            assert!(rest >= Duration::from_millis(500) && rest <= Duration::from_secs(1), "{rest:?}");
            assert_eq!(homes.poll_timeout(now), Some(until));
            assert_eq!(goes_to(&homes, until, "sba"), sba, "the appliance has only started anew");
            homes.failed(until, sba);
            goes_to(&homes, until, "fe1");
        } else {
            goes_to(&homes, now, "fe1");
        }
    }
}

#[test]
fn a_proxy_that_takes_connections_and_serves_nobody_for_long_is_left_at_once_and_ever_longer() {
    for lasts in [None, Some(Duration::ZERO), Some(Duration::from_secs(2))] {
        let started = origin();
        let mut now = started;
        let mut homes = waiting(8);
        let mut went = std::collections::BTreeMap::<String, u32>::new();
        while now < started + Duration::from_mins(10) {
            match homes.advice(now) {
                Advice::Connect(id) => {
                    *went.entry(homes.proxy(id).unwrap().uri.host().to_owned()).or_default() += 1;
                    homes.connected(now, id);
                    if let Some(lasts) = lasts {
                        homes.registered(now, id);
                        now += lasts;
                    }
                    homes.lost(now, id);
                }
                Advice::Wait(until) => now = until,
                other => panic!("{other:?}"),
            }
        }
        assert!(went.values().all(|times| (20..45).contains(times)), "{lasts:?} {went:?}");
        assert_eq!(went.len(), 2, "both have their turns");
    }
}

#[test]
fn registrations_of_thousands_do_not_put_off_the_way_back() {
    let mut now = origin();
    let mut homes = waiting(9);
    let sba = goes_to(&homes, now, "sba");
    homes.failed(now, sba);
    let fe1 = goes_to(&homes, now, "fe1");
    homes.connected(now, fe1);
    for _ in 0..800 {
        now += Duration::from_secs(1);
        homes.registered(now, fe1);
    }
    assert_eq!(goes_to(&homes, now, "sba"), sba);
    homes.failed(now, sba);
    assert_eq!(homes.advice(now), Advice::Stay(fe1));
    assert_eq!(
        homes.advice(now + Duration::from_mins(4)),
        Advice::Stay(fe1),
        "not every half minute: for the owner that is a second connection each time"
    );
    assert_eq!(goes_to(&homes, now + Duration::from_mins(8), "sba"), sba);
}
