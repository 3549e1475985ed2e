//! Temporary portable user identity.

use std::{fmt, str::FromStr};

use crate::{
    coding::serde_as_text,
    error::{Error, Rule},
};

/// A temporary identity of 20 bits; it is also the address on the air.
///
/// EN 300 175-6 6.3
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tpui(u32);

/// What the first two hexadecimal digits of a temporary identity say.
///
/// EN 300 175-6 6.3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TpuiKind {
    /// Assigned to one portable part.
    AssignedIndividual,
    /// Addresses a group without connection.
    ConnectionlessGroup,
    /// Addresses a group for a call.
    CallGroup,
    /// `E` and the lowest 16 bits of the user identity.
    DefaultIndividual,
    /// No identity is available.
    NotAvailable,
    /// Emergency call.
    Emergency,
    /// Reserved by the standard.
    Reserved,
}

impl Tpui {
    /// All portable parts: the connectionless broadcast identity.
    ///
    /// EN 300 175-6 6.3.1
    pub const BROADCAST: Self = Self(0xc_cfff);

    /// An identity of 20 bits.
    ///
    /// EN 300 175-6 6.3
    pub const fn new(value: u32) -> Result<Self, Error> {
        if value >> 20 == 0 { Ok(Self(value)) } else { Err(Error::Value(Rule::Range)) }
    }

    /// The default identity for the lowest 16 bits of a user identity.
    ///
    /// EN 300 175-6 6.3
    pub const fn default_individual(low: u16) -> Self {
        Self(0xe_0000 | low as u32)
    }

    /// The 20 bits.
    ///
    /// EN 300 175-6 6.3
    pub const fn value(self) -> u32 {
        self.0
    }

    /// What kind of identity it is.
    ///
    /// EN 300 175-6 6.3.1
    pub const fn kind(self) -> TpuiKind {
        match (self.0 >> 16, self.0 >> 12 & 0xf) {
            (0..=0xb, 0..=0xb) => TpuiKind::AssignedIndividual,
            (0xc, 0xc) => TpuiKind::ConnectionlessGroup,
            (0xd, 0xd) => TpuiKind::CallGroup,
            (0xe, _) => TpuiKind::DefaultIndividual,
            (0xf, 0) => TpuiKind::NotAvailable,
            (0xf, 1) => TpuiKind::Emergency,
            _ => TpuiKind::Reserved,
        }
    }
}

impl fmt::Display for Tpui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05x}", self.0)
    }
}

impl fmt::Debug for Tpui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tpui({self})")
    }
}

impl FromStr for Tpui {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(u32::from_str_radix(text, 16).map_err(|_| Error::Value(Rule::Digit))?)
    }
}

serde_as_text!(Tpui);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_digits_tell_the_kind() {
        for (text, kind) in [
            ("01001", TpuiKind::AssignedIndividual),
            ("bbfff", TpuiKind::AssignedIndividual),
            ("0c001", TpuiKind::Reserved),
            ("ccfff", TpuiKind::ConnectionlessGroup),
            ("dd001", TpuiKind::CallGroup),
            ("e12f3", TpuiKind::DefaultIndividual),
            ("f0000", TpuiKind::NotAvailable),
            ("f1000", TpuiKind::Emergency),
            ("f2000", TpuiKind::Reserved),
        ] {
            let tpui: Tpui = text.parse().unwrap();
            assert_eq!((tpui.kind(), tpui.to_string().as_str()), (kind, text));
        }
        assert_eq!("100000".parse::<Tpui>(), Err(Error::Value(Rule::Range)));
    }
}
