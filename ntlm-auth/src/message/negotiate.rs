//! NEGOTIATE: the client's first message over a connection. Connectionless logins have none.

use crate::error::Error;
use crate::flags::NegotiateFlags;
use crate::message::Version;
use crate::message::field::{Fields, Writing};

/// The NEGOTIATE message. The names that old clients put into it are not read.
///
/// MS-NLMP 2.2.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Negotiate {
    /// What the client can do.
    pub flags: NegotiateFlags,
    /// The client's software.
    pub version: Version,
}

impl Negotiate {
    /// Reads the message; the shortest has 16 octets.
    ///
    /// MS-NLMP 2.2.1.1
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::of(message, KIND, 16)?;
        let flags = NegotiateFlags(fields.u32(12)?);
        if message.len() >= 32 {
            fields.field(16, 32)?;
            fields.field(24, 32)?;
        }
        let has_version = flags.contains(NegotiateFlags::VERSION) && fields.payload() >= 40;
        let version = if has_version { fields.array(32)? } else { [0; 8] };
        Ok(Self { flags, version })
    }

    /// The message without names.
    ///
    /// MS-NLMP 2.2.1.1
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let mut writing = Writing::new(KIND, 40);
        writing.put(12, &self.flags.0.to_le_bytes());
        // Empty fields point to the end of the header.
        writing.put(20, &40_u32.to_le_bytes());
        writing.put(28, &40_u32.to_le_bytes());
        writing.put(32, &self.version);
        writing.octets
    }
}

const KIND: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_read() {
        let flags = NegotiateFlags(0xe208_8297);
        let negotiate = Negotiate { flags, version: crate::message::USUAL_VERSION };
        let message = negotiate.emit();
        assert_eq!(Negotiate::parse(&message), Ok(negotiate));
        for length in [16, 32] {
            assert_eq!(Negotiate::parse(&message[..length]).map(|short| short.flags), Ok(flags), "{length}");
        }
        assert!(Negotiate::parse(&message[..15]).is_err());
    }
}
