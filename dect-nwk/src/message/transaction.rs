//! Transaction identifier.

use bytes::{BufMut as _, BytesMut};

use super::ProtocolDiscriminator;
use crate::error::Error;

/// Which transaction of a protocol a message belongs to.
///
/// EN 300 175-5 7.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transaction {
    /// Whether the sender is not the side that opened the transaction.
    pub flag: bool,
    /// Its number: 0 to 6, or in the extended form 7 to 255.
    pub value: u8,
    /// Whether the number has an octet of its own.
    pub extended: bool,
}

/// The number in the first octet that announces an octet for the number.
const EXTENDED: u8 = 7;

impl Transaction {
    /// The number reserved for connectionless use.
    pub const CONNECTIONLESS: u8 = 6;

    /// A transaction seen from the side that opened it.
    ///
    /// EN 300 175-5 7.3
    pub const fn opened(value: u8) -> Self {
        Self { flag: false, value, extended: value >= EXTENDED }
    }

    /// A transaction seen from the side that did not open it.
    ///
    /// EN 300 175-5 7.3
    pub const fn answered(value: u8) -> Self {
        Self { flag: true, value, extended: value >= EXTENDED }
    }

    /// The same transaction seen from the other side.
    ///
    /// EN 300 175-5 7.3
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { flag: !self.flag, ..self }
    }

    /// Whether the protocol may use this number.
    ///
    /// EN 300 175-5 7.3, 17.3
    pub const fn is_legal(self, protocol: ProtocolDiscriminator) -> bool {
        match protocol {
            ProtocolDiscriminator::Lce | ProtocolDiscriminator::Mm | ProtocolDiscriminator::Clms => {
                self.value == 0 && !self.extended
            }
            ProtocolDiscriminator::Cc => true,
            ProtocolDiscriminator::Ciss | ProtocolDiscriminator::Coms => !self.extended,
        }
    }

    pub(crate) fn parse(first: u8, next: impl FnOnce() -> Result<u8, Error>) -> Result<Self, Error> {
        let flag = first & 0x80 != 0;
        match first >> 4 & 7 {
            EXTENDED => Ok(Self { flag, value: next()?, extended: true }),
            value => Ok(Self { flag, value, extended: false }),
        }
    }

    pub(crate) fn emit(self, protocol: ProtocolDiscriminator, octets: &mut BytesMut) {
        let flag = if self.flag { 0x80 } else { 0 };
        let extended = self.extended || self.value >= EXTENDED;
        octets.put_u8(flag | if extended { EXTENDED } else { self.value } << 4 | protocol.code());
        if extended {
            octets.put_u8(self.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extended_form_has_its_own_octet() {
        for (transaction, octets) in [
            (Transaction::opened(0), &[0x03][..]),
            (Transaction::answered(6), &[0xe3]),
            (Transaction::opened(7), &[0x73, 7]),
            (Transaction::answered(200), &[0xf3, 200]),
        ] {
            let mut written = BytesMut::new();
            transaction.emit(ProtocolDiscriminator::Cc, &mut written);
            assert_eq!(written, octets);
            assert_eq!(Transaction::parse(octets[0], || Ok(octets[1])), Ok(transaction));
            assert_eq!(transaction.reversed().reversed(), transaction);
        }
    }

    #[test]
    fn each_protocol_has_its_numbers() {
        assert!(Transaction::opened(6).is_legal(ProtocolDiscriminator::Ciss));
        assert!(!Transaction::opened(7).is_legal(ProtocolDiscriminator::Ciss));
        assert!(Transaction::opened(7).is_legal(ProtocolDiscriminator::Cc));
        assert!(!Transaction::opened(1).is_legal(ProtocolDiscriminator::Mm));
    }
}
