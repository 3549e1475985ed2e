//! A message with the flag of the wrong side, or an answer nobody asked for, changes nothing and is not answered.

mod world;

use dect_nwk::element::*;
use dect_nwk::message::{Message, MessageType, Transaction};
use dect_nwk::{Input, LinkId};
use std::time::Duration;
use world::{World, config};

/// A world with a link of the handset that nobody uses.
fn linked() -> World {
    let mut world = World::with_handset(config(), false);
    world.handsets[0].part.locate(world.now).unwrap();
    world.pass(Duration::from_millis(500));
    world.clear();
    world
}

#[test]
fn the_fixed_part_takes_no_answer_that_is_none() {
    let answers = [
        MessageType::AuthenticationReply,
        MessageType::AuthenticationReject,
        MessageType::IdentityReply,
        MessageType::AccessRightsTerminateAccept,
        MessageType::AccessRightsTerminateReject,
    ];
    for kind in answers {
        // While its own request is out, an answer in a transaction the portable part opened is none.
        let mut world = linked();
        let portable = world.portable(0);
        match kind {
            MessageType::IdentityReply => world.fixed.identify(world.now, portable).unwrap(),
            MessageType::AccessRightsTerminateAccept | MessageType::AccessRightsTerminateReject => {
                world.fixed.terminate_access(world.now, portable).unwrap();
            }
            _ => world.fixed.authenticate(world.now, portable).unwrap(),
        }
        world.handsets[0].silent = true;
        world.drain();
        let before = world.fixed.state(portable);
        world.inject(0, &Message::new(kind, Transaction::opened(0)).with(Res([0; 4])).to_bytes());
        world.pass(Duration::from_millis(100));
        assert_eq!(world.fixed.state(portable), before, "{kind:?}");
        assert!(world.fixed_events.is_empty(), "{kind:?} {:?}", world.fixed_events);
    }
    for kind in [MessageType::CipherSuggest, MessageType::AuthenticationRequest] {
        let mut world = linked();
        let said = world.said.len();
        let cipher = CipherInfo::dsc(true, 8);
        world.inject(0, &Message::new(kind, Transaction::answered(0)).with(cipher).to_bytes());
        world.pass(Duration::from_millis(100));
        assert_eq!(world.said.len(), said, "{kind:?}");
    }
}

#[test]
fn the_portable_part_takes_no_request_that_is_an_answer_and_no_answer_that_is_a_request() {
    let requests = [
        MessageType::KeyAllocate,
        MessageType::AuthenticationRequest,
        MessageType::IdentityRequest,
        MessageType::TemporaryIdentityAssign,
        MessageType::AccessRightsTerminateRequest,
        MessageType::MmInfoSuggest,
    ];
    let answers = [
        MessageType::AccessRightsAccept,
        MessageType::AccessRightsReject,
        MessageType::LocateAccept,
        MessageType::LocateReject,
        MessageType::AccessRightsTerminateAccept,
        MessageType::AccessRightsTerminateReject,
    ];
    let wrong = requests
        .iter()
        .map(|kind| (*kind, Transaction::answered(0)))
        .chain(answers.iter().map(|kind| (*kind, Transaction::opened(0))));
    for (kind, transaction) in wrong {
        let mut world = linked();
        let known = world.handsets[0].part.subscription().cloned();
        let said = world.said.len();
        let message = Message::new(kind, transaction)
            .with(InfoType { parameters: vec![Parameter::LocateSuggest] })
            .with(IdentityType::IPEI)
            .with(PortableIdentity::Ipui(known.as_ref().unwrap().ipui))
            .with(AuthType::new(
                AuthenticationAlgorithm::Dsaa,
                AuthenticationKeyType::UserAuthenticationKey,
                8,
            ))
            .with(Rand([0; 8]))
            .with(Rs::Rs64([0; 8]))
            .to_bytes();
        // The handset's own number of its link: it counts them.
        let link = (1..64).map(LinkId).find(|link| {
            world.handsets[0].part.handle_input(world.now, Input::Data { link: *link, sdu: &message }).is_ok()
        });
        assert!(link.is_some());
        world.pass(Duration::from_millis(100));
        assert_eq!(world.said.len(), said, "{kind:?} is answered");
        assert_eq!(world.handsets[0].part.subscription(), known.as_ref(), "{kind:?}");
        assert_eq!(world.heard(0), [], "{kind:?}");
    }
}
