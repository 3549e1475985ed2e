//! The security association of SIP: a session whose messages carry random and counting numbers against replay.

use core::fmt::Write;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::session::{DatagramSession, SIP_SEQUENCE};

/// What tells an association from others, as it stands in the headers.
///
/// MS-SIPAE 3.1.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssociationName {
    /// The realm.
    pub realm: String,
    /// The server that owns the association.
    pub target_name: String,
    /// The server's number for it.
    pub opaque: String,
    /// Version of the protocol that both agreed on.
    pub version: ProtocolVersion,
}

/// Version of the authentication protocol.
///
/// MS-SIPAE 1.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProtocolVersion {
    /// 2: the To address and identities are not signed.
    V2,
    /// 3: as of OCS 2007.
    V3,
    /// 4: as of OCS 2007 R2 and Lync; the message that proves the password is signed already.
    V4,
}

impl ProtocolVersion {
    /// The version that follows from what a challenge says; none means 2, and newer ones are answered with 4.
    ///
    /// MS-SIPAE 1.7
    #[must_use]
    pub fn agree(offered: Option<u32>) -> Self {
        match offered {
            None | Some(0..=2) => Self::V2,
            Some(3) => Self::V3,
            Some(4..) => Self::V4,
        }
    }

    /// The number in the headers.
    ///
    /// MS-SIPAE 1.7
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }
}

/// One end of a security association.
///
/// MS-SIPAE 3.1.1
#[derive(Clone, Debug)]
pub struct SecurityAssociation {
    name: AssociationName,
    session: DatagramSession,
    /// The number of the last message that we signed.
    sent: u32,
    received: ReplayWindow,
    expires: Instant,
}

impl SecurityAssociation {
    /// An association that begins now and lasts for eight hours, or less if a ticket or certificate ends earlier.
    ///
    /// MS-SIPAE 3.1.2
    #[must_use]
    pub fn new(
        now: Instant,
        name: AssociationName,
        session: DatagramSession,
        lifetime: Option<Duration>,
    ) -> Self {
        let lifetime = lifetime.map_or(LIFETIME, |lifetime| lifetime.min(LIFETIME));
        Self { name, session, sent: 0, received: ReplayWindow::default(), expires: now + lifetime }
    }

    /// The number of the message that is signed next (cnum of a client, snum of a server), to be written into its text.
    ///
    /// MS-SIPAE 3.2.5.2, 3.3.5.2
    pub fn next_number(&mut self) -> u32 {
        self.sent = self.sent.saturating_add(1);
        self.sent
    }

    /// The signature of a text in hexadecimal, as it stands in the header.
    ///
    /// MS-SIPAE 3.3.4.1
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> String {
        let mut digits = String::with_capacity(32);
        for octet in self.session.sign(SIP_SEQUENCE, text) {
            let _ = write!(digits, "{octet:02x}");
        }
        digits
    }

    /// Checks a message of the peer: its signature, that its number was not there before, and that the association lasts.
    ///
    /// MS-SIPAE 3.2.5.4, 3.3.5.4
    pub fn verify(&mut self, now: Instant, number: u32, text: &[u8], signature: &str) -> Result<(), Error> {
        if now >= self.expires {
            return Err(Error::Expired);
        }
        let signature = octets(signature).ok_or(Error::BadSignature)?;
        self.session.verify(SIP_SEQUENCE, text, &signature)?;
        // Only a message that is genuine may move the window.
        if self.received.take(number) { Ok(()) } else { Err(Error::Replayed) }
    }

    /// When a new login has to begin: five minutes before the end.
    ///
    /// MS-SIPAE 3.2.2
    #[must_use]
    pub fn renewal(&self) -> Instant {
        self.expires.checked_sub(RENEWAL).unwrap_or(self.expires)
    }

    /// When messages are no longer taken.
    ///
    /// MS-SIPAE 3.1.2
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }

    /// What tells it from others.
    ///
    /// MS-SIPAE 3.1.1
    #[must_use]
    pub fn name(&self) -> &AssociationName {
        &self.name
    }
}

/// The numbers that were there among the last 256.
#[derive(Clone, Debug, Default)]
struct ReplayWindow {
    highest: u32,
    /// Bit n of the whole: the number n below the highest was there.
    seen: [u64; 4],
}

impl ReplayWindow {
    /// Whether the number is new; it is not any more then. Numbers begin at 1.
    fn take(&mut self, number: u32) -> bool {
        if number == 0 {
            return false;
        }
        if number > self.highest {
            self.shift(number - self.highest);
            self.highest = number;
        }
        let below = self.highest - number;
        let Some(word) = self.seen.get_mut((below / 64) as usize) else {
            return false;
        };
        let bit = 1 << (below % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn shift(&mut self, by: u32) {
        if by >= 256 {
            self.seen = [0; 4];
            return;
        }
        let (words, bits) = ((by / 64) as usize, by % 64);
        let old = self.seen;
        let at = |index: Option<usize>| index.and_then(|index| old.get(index)).copied().unwrap_or(0);
        for (index, word) in self.seen.iter_mut().enumerate() {
            let from = index.checked_sub(words);
            let carried = from.and_then(|from| from.checked_sub(1));
            *word = (at(from) << bits) | if bits == 0 { 0 } else { at(carried) >> (64 - bits) };
        }
    }
}

/// Reads 32 digits, upper or lower case.
fn octets(digits: &str) -> Option<[u8; 16]> {
    let mut octets = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let mut value = 0;
        for digit in pair {
            value = value << 4 | char::from(*digit).to_digit(16)?;
        }
        *octet = value as u8;
    }
    Some(octets)
}

const LIFETIME: Duration = Duration::from_hours(8);
const RENEWAL: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{NegotiateFlags, Sender};

    #[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
    fn pair() -> (Instant, SecurityAssociation, SecurityAssociation) {
        let now = Instant::now();
        let name = AssociationName {
            realm: "SIP Communications Service".to_owned(),
            target_name: "fe1.example.net".to_owned(),
            opaque: "1D2C3B4A".to_owned(),
            version: ProtocolVersion::V4,
        };
        let end = |end| {
            let session = DatagramSession::new(end, NegotiateFlags(0x6298_8255), &[0x55; 16]);
            SecurityAssociation::new(now, name.clone(), session, None)
        };
        (now, end(Sender::Client), end(Sender::Server))
    }

    #[test]
    fn signatures_of_the_usual_texts_are_the_known_ones() {
        let (now, client, mut server) = pair();
        let request = b"<NTLM><0a0b0c0d><1><SIP Communications Service><fe1.example.net><7d1c3a5e9f0b2846a1c2e3f405162738><2><REGISTER><sip:dect1@example.net><91d0c4a2b7><sip:dect1@example.net><><><><>";
        assert_eq!(client.sign(request), "010000005a11484614a569cc64000000");
        let response = b"<NTLM><1A2B3C4D><1><SIP Communications Service><fe1.example.net><7d1c3a5e9f0b2846a1c2e3f405162738><2><REGISTER><sip:dect1@example.net><91d0c4a2b7><sip:dect1@example.net><0F9E8D7C6B5A49382716051423324150><><><7200><200>";
        assert_eq!(server.sign(response), "0100000092eeb1d1c48be3d264000000");
        assert_eq!(server.verify(now, 1, request, "010000005A11484614A569CC64000000"), Ok(()));
    }

    #[test]
    fn a_message_is_taken_once_and_a_forged_one_moves_nothing() {
        let (now, client, mut server) = pair();
        let signature = client.sign(b"text");
        assert_eq!(server.verify(now, 4_000_000_000, b"other", &signature), Err(Error::BadSignature));
        assert_eq!(server.verify(now, 7, b"text", &signature), Ok(()));
        assert_eq!(server.verify(now, 7, b"text", &signature), Err(Error::Replayed));
        assert_eq!(server.verify(now, 5, b"text", &signature), Ok(()), "messages overtake each other");
        for broken in ["", "01", "010000005a11484614a569cc6400000g", &"ü".repeat(16)] {
            assert_eq!(server.verify(now, 8, b"text", broken), Err(Error::BadSignature), "{broken}");
        }
    }

    #[test]
    fn the_window_agrees_with_a_list_of_all_numbers() {
        let mut window = ReplayWindow::default();
        let mut seen = BTreeSet::new();
        let mut highest = 0_u32;
        let mut number = 1_u32;
        for round in 0..20_000_u32 {
            // A walk with steps in both directions, some beyond the window.
            number = (number + round.wrapping_mul(2_654_435_761) % 97).saturating_sub(round % 61).max(1);
            if round % 501 == 0 {
                number += 300;
            }
            let new = highest.saturating_sub(number) < 256 && seen.insert(number);
            highest = highest.max(number);
            assert_eq!(window.take(number), new, "round {round}: {number} after {highest}");
        }
        assert!(!window.take(0));
    }

    #[test]
    fn an_association_ends_after_eight_hours_and_is_renewed_before() {
        let (now, mut client, mut server) = pair();
        assert_eq!((client.next_number(), client.next_number()), (1, 2));
        assert_eq!(client.renewal() - now, Duration::from_mins(8 * 60 - 5));
        let signature = client.sign(b"text");
        let late = server.expires();
        assert_eq!(server.verify(late, 1, b"text", &signature), Err(Error::Expired));
    }

    #[test]
    fn the_lower_version_is_agreed() {
        for (offered, number) in [(None, 2), (Some(2), 2), (Some(3), 3), (Some(4), 4), (Some(9), 4)] {
            assert_eq!(ProtocolVersion::agree(offered).number(), number);
        }
    }
}
