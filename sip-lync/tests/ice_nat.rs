//! Connectivity through NATs of every kind, against theory.

mod internet;

use std::fmt::Write as _;
use std::time::Duration;

use internet::nat::{Behaviour, Dependence, behaviours, reachable};
use internet::{Internet, Place, SERVER, Side, Weather};
use sip_lync::ice::agent::Config;
use sip_lync::ice::{DIALECTS, Dialect, Role};

fn configs(dialect: Dialect) -> [Config; 2] {
    [Role::Controlling, Role::Controlled].map(|role| {
        let mut config = Config::new(dialect, role);
        config.components = 1;
        config
    })
}

/// Whether two agents at these places connect; both say the same, and agree on the pair.
fn connects(dialect: Dialect, places: [Place; 2]) -> bool {
    let mut internet = Internet::new(1, places, &configs(dialect), Weather::FAIR);
    internet.run_until_decided(Duration::from_secs(90));
    internet.run_for(Duration::from_secs(1));
    let outcome = Side::BOTH.map(|side| {
        let node = internet.node(side);
        assert_ne!(
            node.connected.is_some(),
            node.failed.is_some(),
            "{dialect} {places:?} {side:?}: {:?}",
            node.agent.state()
        );
        node.connected.is_some()
    });
    assert_eq!(outcome[0], outcome[1], "{dialect} {places:?}");
    if outcome[0] {
        internet.assert_agreed(&format!("{dialect} {places:?}"));
    }
    outcome[0]
}

fn name(behaviour: Behaviour) -> String {
    format!("{}/{}", behaviour.mapping.short(), behaviour.filtering.short())
}

#[test]
fn two_agents_behind_nats_connect_exactly_when_theory_allows_it() {
    let mut table = String::from(
        "# Connectivity through NATs\n\nEach row and column is a NAT with its mapping and filtering behaviour (RFC 4787: EI endpoint-independent, AD address-dependent,\n\
         APD address and port-dependent). A cell says how two agents behind them connect in the simulation of `tests/ice_nat.rs`: `direct` without a relay, `relay` only\n\
         when one of them has a relayed candidate. The test compares every cell, in all three dialects, with a model that knows NATs and nothing of ICE.\n\n|",
    );
    let all = behaviours();
    for behaviour in &all {
        write!(table, " | {}", name(*behaviour)).unwrap();
    }
    table += " |\n|---|";
    table += &"---|".repeat(all.len());
    table += "\n";
    for left in &all {
        write!(table, "| **{}**", name(*left)).unwrap();
        for right in &all {
            let theory = reachable(*left, *right, SERVER);
            for dialect in DIALECTS {
                let places = [Place::behind(*left), Place::behind(*right)];
                assert_eq!(
                    connects(dialect, places),
                    theory,
                    "{dialect}: {} and {}",
                    name(*left),
                    name(*right)
                );
                if !theory {
                    let relayed = [Place { relay: true, ..places[0] }, places[1]];
                    assert!(connects(dialect, relayed), "{dialect}: {} and {}", name(*left), name(*right));
                }
            }
            table += if theory { " | direct" } else { " | relay" };
        }
        table += " |\n";
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ice-connectivity.md");
    if std::env::var_os("UPDATE_STATES").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), table, "{}", path.display());
}

#[test]
fn theory_knows_the_cases_everybody_knows() {
    let of = |mapping, filtering| Behaviour { mapping, filtering };
    let cone = of(Dependence::Independent, Dependence::Independent);
    let restricted = of(Dependence::Independent, Dependence::AddressAndPort);
    let symmetric = of(Dependence::AddressAndPort, Dependence::AddressAndPort);
    assert!(reachable(cone, cone, SERVER) && reachable(restricted, restricted, SERVER));
    assert!(reachable(cone, symmetric, SERVER) && reachable(symmetric, cone, SERVER));
    assert!(!reachable(restricted, symmetric, SERVER) && !reachable(symmetric, symmetric, SERVER));
}

#[test]
fn an_open_host_is_reached_from_behind_any_nat() {
    for behaviour in behaviours() {
        for dialect in DIALECTS {
            let behind = Place { stun: false, ..Place::behind(behaviour) };
            assert!(connects(dialect, [Place::OPEN, behind]), "{behaviour:?}");
            assert!(connects(dialect, [behind, Place::OPEN]), "{behaviour:?}");
        }
    }
}
