//! Network layer messages and pages against arbitrary octets.

use bytes::BytesMut;
use dect_nwk::Message;
use dect_nwk::page::Page;
use fuzz::{Damage, ROUNDS, damaged};

/// CC-SETUP, CC-INFO with a display, ACCESS-RIGHTS-REQUEST, LOCATE-REQUEST.
const SEEDS: [&[u8]; 4] = [
    b"\x03\x05\x05\x07\x80\xa8\x00\x4e\x29\x06\x73\x06\x07\xa0\xa5\x00\x00\x00\x00\x00\xe0\x80",
    b"\x83\x7b\x28\x05hello\x2c\x03\x12\x34\x15\xe4\x40",
    b"\x05\x44\x05\x07\x80\xa8\x00\x4e\x29\x06\x73\x0a\x03\x01\x18\x18",
    b"\x05\x54\x05\x07\x80\xa8\x00\x4e\x29\x06\x73\x07\x02\x40\x00\x63\x04\x80\x82\x84\x88",
];

#[test]
fn messages_never_panic_and_what_is_read_is_written_back_octet_for_octet() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let octets = damaged(&SEEDS, damage);
        let Ok(message) = Message::parse(&octets) else { return };
        let mut written = BytesMut::new();
        message.emit(&mut written);
        // An element that goes beyond the end is dropped with what follows it.
        assert!(octets.starts_with(&written), "{octets:02x?} became {:02x?}", &written[..]);
        let mut again = BytesMut::new();
        Message::parse(&written).expect("what we write we read").emit(&mut again);
        assert_eq!(again, written);
    });
}

#[test]
fn pages_of_three_and_five_octets_are_written_as_they_were_read_twice() {
    bolero::check!().with_type::<Vec<u8>>().with_iterations(ROUNDS).for_each(|octets| {
        for length in [3, 5, octets.len()] {
            let Ok(page) = Page::parse(&octets[..length.min(octets.len())]) else { continue };
            let mut once = BytesMut::new();
            page.emit(&mut once);
            assert_eq!(Page::parse(&once), Ok(page));
        }
    });
}
