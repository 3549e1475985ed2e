//! Attributes that one standard each brings.

use super::value::{Around, Form};
use super::writer::Writer;

/// CHANGE-REQUEST: from where the answer is to come.
///
/// RFC 3489 11.2.4, RFC 5780 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ChangeRequest {
    /// From the other address.
    pub address: bool,
    /// From the other port.
    pub port: bool,
}

impl<'a> Form<'a> for ChangeRequest {
    fn read(value: &'a [u8], around: Around) -> Option<Self> {
        let flags = u32::read(value, around)?;
        Some(Self { address: flags & 4 != 0, port: flags & 2 != 0 })
    }

    fn write(&self, around: Around, to: &mut Writer<'_>) {
        (u32::from(self.address) << 2 | u32::from(self.port) << 1).write(around, to);
    }
}

/// PASSWORD-ALGORITHM: how the key comes from the password.
///
/// RFC 8489 14.12
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PasswordAlgorithm<'a> {
    /// 1 is MD5, 2 is SHA-256.
    pub algorithm: u16,
    /// Parameters; both known ones have none.
    pub parameters: &'a [u8],
}

impl<'a> Form<'a> for PasswordAlgorithm<'a> {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [a, b, c, d, rest @ ..] = value else { return None };
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        Some(Self { algorithm: u16::from_be_bytes([*a, *b]), parameters: rest.get(..length)? })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&self.algorithm.to_be_bytes());
        to.put(&(self.parameters.len() as u16).to_be_bytes());
        to.put(self.parameters);
    }
}

/// ICMP: what came back from the path to a peer.
///
/// RFC 8656 18.13
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// What the code brings along.
    pub data: u32,
}

impl<'a> Form<'a> for Icmp {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [_, _, kind, code, a, b, c, d] = *value else { return None };
        // The figure has seven bits of type and nine of code; every writer uses octets.
        Some(Self { kind, code, data: u32::from_be_bytes([a, b, c, d]) })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&[0, 0, self.kind, self.code]);
        to.put(&self.data.to_be_bytes());
    }
}

/// TRANSACTION-TRANSMIT-COUNTER: how often request and answer were sent.
///
/// RFC 7982 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TransmitCounter {
    /// How often the request.
    pub requests: u8,
    /// How often the answer.
    pub responses: u8,
}

impl<'a> Form<'a> for TransmitCounter {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [_, _, requests, responses] = *value else { return None };
        Some(Self { requests, responses })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&[0, 0, self.requests, self.responses]);
    }
}

/// ECN-CHECK: which mark a check arrived with.
///
/// RFC 6679 7.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct EcnCheck {
    /// Whether the mark could be read.
    pub valid: bool,
    /// The mark, two bits.
    pub mark: u8,
}

impl<'a> Form<'a> for EcnCheck {
    fn read(value: &'a [u8], around: Around) -> Option<Self> {
        let flags = u32::read(value, around)?;
        Some(Self { valid: flags & 1 != 0, mark: (flags >> 1 & 3) as u8 })
    }

    fn write(&self, around: Around, to: &mut Writer<'_>) {
        (u32::from(self.valid) | u32::from(self.mark & 3) << 1).write(around, to);
    }
}
