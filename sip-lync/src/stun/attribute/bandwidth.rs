//! Attributes of bandwidth admission control.

use super::value::{Around, Form};
use super::writer::Writer;

/// Bandwidth-Admission-Control-Message: what is asked of the policy.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AdmissionControl {
    /// Which paths may be used, and with how much.
    Check,
    /// This path is used now.
    Commit,
    /// It is still used, perhaps with another amount.
    Update,
}

impl<'a> Form<'a> for AdmissionControl {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        match *value {
            [_, _, 0, 0] => Some(Self::Check),
            [_, _, 0, 1] => Some(Self::Commit),
            [_, _, 0, 2] => Some(Self::Update),
            _ => None,
        }
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        let number = match self {
            Self::Check => 0,
            Self::Commit => 1,
            Self::Update => 2,
        };
        to.put(&[0, 0, 0, number]);
    }
}

/// Reservation-Amount: kilobits a second wanted at most and at least.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ReservationAmount {
    /// Most that is sent.
    pub max_send: u32,
    /// Least that is sent.
    pub min_send: u32,
    /// Most that is received.
    pub max_receive: u32,
    /// Least that is received.
    pub min_receive: u32,
}

impl<'a> Form<'a> for ReservationAmount {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [a, b, c, d] = words::<4>(value)?;
        Some(Self { max_send: a, min_send: b, max_receive: c, min_receive: d })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        for number in [self.max_send, self.min_send, self.max_receive, self.min_receive] {
            to.put(&number.to_be_bytes());
        }
    }
}

/// What the policy says of one path.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct PathResponse {
    /// The path may be used.
    pub valid: bool,
    /// A call that finds no path is to go over the telephone network.
    pub pstn_failover: bool,
    /// Most that may be sent.
    pub max_send: u32,
    /// Most that may be received.
    pub max_receive: u32,
}

const VALID: u32 = 1 << 31;
const PSTN_FAILOVER: u32 = 1 << 30;

impl<'a> Form<'a> for PathResponse {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [flags, max_send, max_receive] = words::<3>(value)?;
        Some(Self {
            valid: flags & VALID != 0,
            pstn_failover: flags & PSTN_FAILOVER != 0,
            max_send,
            max_receive,
        })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = flag(self.valid, VALID) | flag(self.pstn_failover, PSTN_FAILOVER);
        for number in [flags, self.max_send, self.max_receive] {
            to.put(&number.to_be_bytes());
        }
    }
}

fn words<const N: usize>(value: &[u8]) -> Option<[u32; N]> {
    let (words, rest) = value.as_chunks::<4>();
    let words: &[[u8; 4]; N] = words.try_into().ok()?;
    rest.is_empty().then(|| words.map(u32::from_be_bytes))
}
