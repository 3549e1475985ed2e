//! A branch appliance first, then the front ends of the pool: which one the server goes to, and how it comes back.

use std::time::Duration;

use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;

use super::{SECOND, jim_calls_alice, nothing_left};
use crate::world::{JIM, Options, World};

const MINUTE: Duration = Duration::from_mins(1);
const FRONT_END: usize = 0;
const APPLIANCE: usize = 1;

/// A branch appliance, which is second in the file and first in rank, and a front end.
fn branch() -> Options {
    let mut options = Options::new();
    options.configuration = options.configuration.replace(
        "{ uri = \"sip:pool.example.net:5061\" }",
        "{ uri = \"sip:pool.example.net:5061\", priority = 2 }, { uri = \"sip:sba.example.net:5061\", priority = 1 }",
    );
    options
}

fn states(world: &World) -> [String; 2] {
    let status = world.status();
    [status.proxies[FRONT_END].state.clone(), status.proxies[APPLIANCE].state.clone()]
}

/// The appliance was away when the server started; all are registered at the front end.
fn away() -> World {
    let mut options = branch();
    options.closed = [APPLIANCE].into();
    let world = World::settled(&options);
    assert_eq!((world.connected(), world.registered()), (vec![FRONT_END], 2), "{:?}", world.logs);
    assert_eq!(states(&world), ["connected", "failed"]);
    world
}

fn is_home_at_the_appliance(world: &World) -> bool {
    world.connected() == [APPLIANCE] && world.registered() == 2
}

#[test]
fn when_the_appliance_goes_away_it_is_tried_once_more_and_then_the_front_end_takes_over() {
    let mut world = World::settled(&branch());
    assert!(is_home_at_the_appliance(&world), "{:?}", world.connected());
    world.run(MINUTE);
    world.close_proxy(APPLIANCE);
    assert!(world.run_until(5 * SECOND, |world| world.connected() == [FRONT_END]), "{:?}", world.dialled);
    let dialled: Vec<usize> = world.dialled.iter().map(|(_, proxy)| *proxy).collect();
    assert_eq!(dialled, [APPLIANCE, APPLIANCE, FRONT_END]);
    assert!(world.run_until(5 * SECOND, |world| world.registered() == 2), "{:?}", world.logs);
    jim_calls_alice(&mut world);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    nothing_left(&world);
}

#[test]
fn an_appliance_that_only_starts_anew_gets_its_users_back_at_once() {
    let mut world = World::settled(&branch());
    world.run(MINUTE);
    world.close_proxy(APPLIANCE);
    world.closed.clear();
    assert!(world.run_until(5 * SECOND, is_home_at_the_appliance), "{:?}\n{:?}", world.dialled, world.logs);
    assert!(world.dialled.iter().all(|(_, proxy)| *proxy == APPLIANCE), "{:?}", world.dialled);
}

#[test]
fn users_go_back_to_the_appliance_when_it_serves_again_and_calls_go_on_where_they_are() {
    let mut world = away();
    world.closed.clear();
    world.run(4 * MINUTE);
    assert_eq!(world.connected(), [FRONT_END], "not at once");
    jim_calls_alice(&mut world);
    assert!(
        world.run_until(5 * MINUTE, |world| world.connected().len() == 2 && world.registered() == 2),
        "{:?}\n{:?}",
        world.dialled,
        world.logs
    );
    assert_eq!(states(&world)[APPLIANCE], "connected");
    world.run(MINUTE);
    assert_eq!(world.connected(), [FRONT_END, APPLIANCE], "the call still needs the first one");
    assert_eq!(world.load().calls, 1);
    let released = |event: &&HandsetEvent| matches!(event, HandsetEvent::Released { .. });
    assert!(!world.events_of(JIM).iter().any(released));
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    nothing_left(&world);
    assert!(is_home_at_the_appliance(&world), "{:?}", world.connected());
    jim_calls_alice(&mut world);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    nothing_left(&world);
    world.run(30 * MINUTE);
    assert!(is_home_at_the_appliance(&world));
}

#[test]
fn the_first_connection_stays_until_the_last_user_is_registered_on_the_other() {
    let mut world = away();
    world.closed.clear();
    assert!(world.run_until(10 * MINUTE, |world| world.connected() == [APPLIANCE]), "{:?}", world.dialled);
    assert_eq!(world.registered(), 2, "{:?}", world.logs);
}

#[test]
fn an_appliance_that_answers_but_does_not_serve_costs_nobody_a_registration() {
    let mut world = away();
    world.closed.clear();
    world.run(4 * MINUTE);
    world.faults(&["503=REGISTER"]);
    // The refreshes of the others are refused, too, as one machine plays both: they are tried again.
    assert!(world.run_until(5 * MINUTE, |world| world.connected().len() == 2), "{:?}", world.dialled);
    world.run(SECOND);
    assert_eq!(world.connected(), [FRONT_END], "{:?}", world.logs);
    assert!(world.logs.iter().any(|(_, text)| text.contains("we stay where we are")), "{:?}", world.logs);
    world.faults(&[]);
    assert!(world.run_until(5 * MINUTE, |world| world.registered() == 2), "{:?}", world.logs);
    assert!(world.run_until(15 * MINUTE, is_home_at_the_appliance), "{:?}", world.logs);
}

#[test]
fn whichever_connection_breaks_while_both_stand_all_are_registered_on_the_other() {
    for broken in [APPLIANCE, FRONT_END] {
        for after in [0u64, 2, 5, 9, 14, 30] {
            let mut world = away();
            world.closed.clear();
            assert!(
                world.run_until(10 * MINUTE, |world| world.connected().len() == 2),
                "{:?}",
                world.dialled
            );
            world.run(Duration::from_millis(after));
            world.close_proxy(broken);
            let other = 1 - broken;
            assert!(
                world.run_until(MINUTE, |world| world.connected() == [other] && world.registered() == 2),
                "{broken} {after}: {:?}\n{:?}\n{:?}",
                world.connected(),
                world.dialled,
                world.logs
            );
        }
    }
}

#[test]
fn proxies_that_are_all_away_are_dialled_ever_more_seldom_and_found_when_they_come() {
    let mut options = branch();
    options.closed = [FRONT_END, APPLIANCE].into();
    let mut world = World::new(&options);
    world.run(10 * MINUTE);
    let tries = world.dialled.len();
    assert!((40..120).contains(&tries), "{tries} in ten minutes with two proxies");
    world.closed.clear();
    assert!(world.run_until(MINUTE, |world| world.connected() == [APPLIANCE]), "{:?}", world.dialled);
}
