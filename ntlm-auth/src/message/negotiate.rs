//! NEGOTIATE: the client's first message, over a connection only.

use crate::error::Error;
use crate::flags::NegotiateFlags;
use crate::message::Version;
use crate::message::field::{Fields, Writing};

/// The NEGOTIATE message.
///
/// MS-NLMP 2.2.1.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Negotiate {
    /// What the client can do.
    pub flags: NegotiateFlags,
    /// The client's domain in a code page; empty unless its flag is set.
    pub domain: Vec<u8>,
    /// The client's computer in a code page; empty unless its flag is set.
    pub workstation: Vec<u8>,
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
        let mut name = |at: usize, flag| {
            let name = if message.len() >= 32 { fields.field(at, 32)? } else { &[] };
            Ok::<_, Error>(if flags.contains(flag) { name.to_vec() } else { Vec::new() })
        };
        let domain = name(16, NegotiateFlags::OEM_DOMAIN_SUPPLIED)?;
        let workstation = name(24, NegotiateFlags::OEM_WORKSTATION_SUPPLIED)?;
        let has_version = flags.contains(NegotiateFlags::VERSION) && fields.payload() >= 40;
        let version = if has_version { fields.array(32)? } else { [0; 8] };
        Ok(Self { flags, domain, workstation, version })
    }

    /// The message.
    ///
    /// MS-NLMP 2.2.1.1
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let mut writing = Writing::new(KIND, 40, self.domain.len() + self.workstation.len());
        writing.put(12, &self.flags.0.to_le_bytes());
        writing.put(32, &self.version);
        writing.field(16, &self.domain)?;
        writing.field(24, &self.workstation)?;
        Ok(writing.octets)
    }
}

const KIND: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_read() {
        let flags = NegotiateFlags(0xe208_8297);
        let negotiate = Negotiate { flags, version: crate::message::USUAL_VERSION, ..Negotiate::default() };
        let message = negotiate.emit().expect("it is short");
        assert_eq!(message.len(), 40);
        assert_eq!(message[20..24], [40, 0, 0, 0], "empty fields point behind the header");
        assert_eq!(Negotiate::parse(&message), Ok(negotiate));
        for length in [16, 32] {
            assert_eq!(Negotiate::parse(&message[..length]).map(|short| short.flags), Ok(flags), "{length}");
        }
        assert!(Negotiate::parse(&message[..15]).is_err());
    }

    #[test]
    fn names_are_octets_of_a_code_page_and_count_only_with_their_flags() {
        let flags = NegotiateFlags::OEM_DOMAIN_SUPPLIED.with(NegotiateFlags::OEM_WORKSTATION_SUPPLIED);
        let mut negotiate =
            Negotiate { flags, domain: b"M\x9aNCHEN".to_vec(), workstation: b"PC".to_vec(), version: [0; 8] };
        let message = negotiate.emit().expect("it is short");
        assert_eq!(Negotiate::parse(&message).as_ref(), Ok(&negotiate));
        negotiate.flags = NegotiateFlags::default();
        let message = negotiate.emit().expect("it is short");
        assert_eq!(Negotiate::parse(&message), Ok(Negotiate::default()));
    }
}
