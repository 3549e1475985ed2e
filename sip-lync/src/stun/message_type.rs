//! Classes and methods, and the 14 bits they share.

use super::dialect::Dialect;

/// What a message is to its transaction.
///
/// RFC 8489 5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A request, which is answered.
    Request,
    /// An indication, which is not.
    Indication,
    /// The answer to a request that was fulfilled.
    Success,
    /// The answer to a request that was not.
    Error,
}

impl Class {
    /// The name in lower case.
    ///
    /// RFC 8489 5
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Indication => "indication",
            Self::Success => "success",
            Self::Error => "error",
        }
    }
}

/// What a message is about.
///
/// RFC 8489 18.2, RFC 8656 5, RFC 6062 6.1, MS-TURN 2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Method {
    /// Asks for the own reflexive address; also a connectivity check.
    Binding,
    /// Asked for a password, in RFC 3489.
    SharedSecret,
    /// Asks for a relayed address; in MS-TURN it also refreshes one.
    Allocate,
    /// Prolongs an allocation.
    Refresh,
    /// Octets to a peer.
    Send,
    /// Octets from a peer.
    Data,
    /// Lets a peer in.
    CreatePermission,
    /// Gives a peer a channel.
    ChannelBind,
    /// Opens a TCP connection to a peer.
    Connect,
    /// Claims a TCP connection.
    ConnectionBind,
    /// Tells of a TCP connection from a peer.
    ConnectionAttempt,
    /// Makes one peer the only one, without wrapping.
    SetActiveDestination,
    /// Any other, by its number.
    Other(u16),
}

impl Method {
    /// The number in a dialect.
    ///
    /// RFC 8489 18.2, MS-TURN 2.2.1
    #[inline]
    pub const fn number(self, dialect: Dialect) -> u16 {
        let ms = dialect.is_ms_turn();
        match self {
            Self::Binding => 1,
            Self::SharedSecret => 2,
            Self::Allocate => 3,
            Self::Refresh => 4,
            Self::Send => {
                if ms {
                    4
                } else {
                    6
                }
            }
            Self::Data => {
                if ms {
                    5
                } else {
                    7
                }
            }
            Self::CreatePermission => 8,
            Self::ChannelBind => 9,
            Self::Connect => 10,
            Self::ConnectionBind => 11,
            Self::ConnectionAttempt => 12,
            Self::SetActiveDestination => 6,
            Self::Other(number) => number & 0x0fff,
        }
    }

    #[inline]
    const fn from_number(number: u16, dialect: Dialect) -> Self {
        match (number, dialect.is_ms_turn()) {
            (1, _) => Self::Binding,
            (2, _) => Self::SharedSecret,
            (3, _) => Self::Allocate,
            (4, true) => Self::Send,
            (5, true) => Self::Data,
            (6, true) => Self::SetActiveDestination,
            (4, false) => Self::Refresh,
            (6, false) => Self::Send,
            (7, false) => Self::Data,
            (8, false) => Self::CreatePermission,
            (9, false) => Self::ChannelBind,
            (10, false) => Self::Connect,
            (11, false) => Self::ConnectionBind,
            (12, false) => Self::ConnectionAttempt,
            (other, _) => Self::Other(other),
        }
    }

    /// The name in lower case; an unknown one is `other`.
    ///
    /// RFC 8489 18.2
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::SharedSecret => "shared-secret",
            Self::Allocate => "allocate",
            Self::Refresh => "refresh",
            Self::Send => "send",
            Self::Data => "data",
            Self::CreatePermission => "create-permission",
            Self::ChannelBind => "channel-bind",
            Self::Connect => "connect",
            Self::ConnectionBind => "connection-bind",
            Self::ConnectionAttempt => "connection-attempt",
            Self::SetActiveDestination => "set-active-destination",
            Self::Other(_) => "other",
        }
    }
}

/// The Data indication of MS-TURN has the class bits of an error response. MS-TURN 2.2.1
const MS_TURN_DATA_INDICATION: u16 = 0x0115;

/// Class and method from the 14 bits.
#[inline]
pub(super) const fn split(bits: u16, dialect: Dialect) -> (Class, Method) {
    if dialect.is_ms_turn() && bits == MS_TURN_DATA_INDICATION {
        return (Class::Indication, Method::Data);
    }
    let class = match bits & 0x0110 {
        0x0000 => Class::Request,
        0x0010 => Class::Indication,
        0x0100 => Class::Success,
        _ => Class::Error,
    };
    let number = (bits & 0x000f) | ((bits & 0x00e0) >> 1) | ((bits & 0x3e00) >> 2);
    match (class, Method::from_number(number, dialect)) {
        // An indication by its class bits is not the Data indication there.
        (Class::Indication, Method::Data) if dialect.is_ms_turn() => (class, Method::Other(number)),
        class_and_method => class_and_method,
    }
}

/// The 14 bits of class and method.
#[inline]
pub(super) const fn join(class: Class, method: Method, dialect: Dialect) -> u16 {
    if dialect.is_ms_turn() && matches!((class, method), (Class::Indication, Method::Data)) {
        return MS_TURN_DATA_INDICATION;
    }
    let number = method.number(dialect);
    let bits = match class {
        Class::Request => 0x0000,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    bits | (number & 0x000f) | ((number & 0x0070) << 1) | ((number & 0x0f80) << 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fourteen_bits_come_back_in_every_dialect() {
        for dialect in
            [Dialect::Rfc8489, Dialect::MsIce2, Dialect::Draft06, Dialect::MsTurn, Dialect::Rfc3489]
        {
            for bits in 0..0x4000 {
                let (class, method) = split(bits, dialect);
                assert_eq!(join(class, method, dialect), bits, "{bits:#06x} {dialect:?}");
            }
        }
    }

    #[test]
    fn the_types_of_the_standards_are_hit() {
        let rfc = |class, method| join(class, method, Dialect::Rfc8489);
        assert_eq!(rfc(Class::Request, Method::Binding), 0x0001);
        assert_eq!(rfc(Class::Success, Method::Binding), 0x0101);
        assert_eq!(rfc(Class::Indication, Method::Send), 0x0016);
        assert_eq!(rfc(Class::Indication, Method::Data), 0x0017);
        assert_eq!(rfc(Class::Error, Method::ChannelBind), 0x0119);
        let ms = |class, method| join(class, method, Dialect::MsTurn);
        assert_eq!(ms(Class::Request, Method::Send), 0x0004);
        assert_eq!(ms(Class::Indication, Method::Data), 0x0115);
        assert_eq!(ms(Class::Request, Method::SetActiveDestination), 0x0006);
        assert_eq!(ms(Class::Success, Method::SetActiveDestination), 0x0106);
        assert_eq!(ms(Class::Error, Method::SetActiveDestination), 0x0116);
    }
}
