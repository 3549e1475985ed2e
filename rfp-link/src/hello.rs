//! The hello: the first frame of each end, readable in every version.

use crate::error::{Error, Rule};
use crate::field::{Reader, fitting, put_text};
use crate::role::Role;
use crate::version::{EDITION, SUPPORTED, VersionRange};

/// Most octets of a name or a software text.
pub(crate) const TEXT_LIMIT: usize = 64;
const MAGIC: [u8; 4] = *b"RFPL";

/// Who somebody is and what it can do.
///
/// docs/radio-link.md 3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hello {
    /// The versions the sender speaks.
    pub protocol: VersionRange,
    /// The edition within the highest version: raised when message types or trailing fields are added.
    pub edition: u16,
    /// Name and version of the sender's software, cut to 64 octets on the wire.
    pub software: String,
    /// Name of the sender for logs and pages, cut to 64 octets on the wire.
    pub name: String,
    /// Radio fixed part number of the base station (0 in a server's hello).
    pub rpn: u8,
    /// Identity that the base station broadcasts, given by the server (0 in a base station's hello); the base station puts
    /// its own number into the last octet's lowest bits.
    pub rfpi: [u8; 5],
    /// Speech channels of the base station (0 in a server's hello).
    pub channels: u8,
    /// Bits of [`capability`](crate::capability).
    pub capabilities: u32,
}

impl Hello {
    /// The hello of a base station with radio fixed part number `rpn`.
    ///
    /// docs/radio-link.md 3
    #[must_use]
    pub fn base_station(name: impl Into<String>, software: impl Into<String>, rpn: u8, channels: u8) -> Self {
        Self {
            protocol: SUPPORTED,
            edition: EDITION,
            software: software.into(),
            name: name.into(),
            rpn,
            rfpi: [0; 5],
            channels,
            capabilities: crate::capability::G726,
        }
    }

    /// The hello of a server whose base stations broadcast `rfpi`.
    ///
    /// docs/radio-link.md 3
    #[must_use]
    pub fn server(name: impl Into<String>, software: impl Into<String>, rfpi: [u8; 5]) -> Self {
        Self {
            protocol: SUPPORTED,
            edition: EDITION,
            software: software.into(),
            name: name.into(),
            rpn: 0,
            rfpi,
            channels: 0,
            capabilities: crate::capability::G726,
        }
    }

    /// The hello as the peer will read it: texts cut to their bounds.
    ///
    /// docs/radio-link.md 2.1
    #[must_use]
    pub fn fitted(self) -> Self {
        Self { software: fitting(&self.software, TEXT_LIMIT), name: fitting(&self.name, TEXT_LIMIT), ..self }
    }

    pub(crate) fn emit(&self, role: Role, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.push(role.code());
        out.extend_from_slice(&self.protocol.lowest.to_be_bytes());
        out.extend_from_slice(&self.protocol.highest.to_be_bytes());
        out.extend_from_slice(&self.edition.to_be_bytes());
        out.push(self.rpn);
        out.extend_from_slice(&self.rfpi);
        out.push(self.channels);
        out.extend_from_slice(&self.capabilities.to_be_bytes());
        put_text(out, &self.software, TEXT_LIMIT);
        put_text(out, &self.name, TEXT_LIMIT);
    }

    /// Reads the fields behind the message type. Fields that a newer version appends are skipped, always.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<(Role, Self), Error> {
        let at = reader.at();
        if reader.array::<4>()? != MAGIC {
            return Err(Error::Malformed { at, rule: Rule::Magic });
        }
        let role = reader.code(Role::from_code)?;
        let at = reader.at();
        let protocol = VersionRange { lowest: reader.u16()?, highest: reader.u16()? };
        if !protocol.is_valid() {
            return Err(Error::Malformed { at, rule: Rule::VersionRange });
        }
        let hello = Self {
            protocol,
            edition: reader.u16()?,
            rpn: reader.u8()?,
            rfpi: reader.array()?,
            channels: reader.u8()?,
            capabilities: reader.u32()?,
            software: reader.text(TEXT_LIMIT)?,
            name: reader.text(TEXT_LIMIT)?,
        };
        Ok((role, hello))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_station() -> Hello {
        Hello::base_station("hall", "ip-dect 1.2", 3, 8)
    }

    #[test]
    fn a_hello_is_laid_out_as_documented() {
        let mut out = Vec::new();
        base_station().emit(Role::BaseStation, &mut out);
        let expected = [
            &b"RFPL"[..],
            &[1, 0, 1, 0, 1, 0, 0, 3, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 11],
            b"ip-dect 1.2",
            &[4],
            b"hall",
        ]
        .concat();
        assert_eq!(out, expected);
        assert_eq!(Hello::read(&mut Reader::new(&out)), Ok((Role::BaseStation, base_station())));
    }

    #[test]
    fn fields_appended_by_a_newer_version_are_skipped() {
        let mut out = Vec::new();
        base_station().emit(Role::BaseStation, &mut out);
        out.extend_from_slice(&[9; 20]);
        assert_eq!(Hello::read(&mut Reader::new(&out)), Ok((Role::BaseStation, base_station())));
    }

    #[test]
    fn another_protocol_is_recognised_by_its_first_octets() {
        let error = Hello::read(&mut Reader::new(b"GET / HTTP/1.1\r\n\r\n")).unwrap_err();
        assert_eq!(error, Error::Malformed { at: 0, rule: Rule::Magic });
    }

    #[test]
    fn a_range_that_is_empty_or_begins_at_zero_is_refused() {
        for protocol in [VersionRange { lowest: 0, highest: 1 }, VersionRange { lowest: 2, highest: 1 }] {
            let mut out = Vec::new();
            Hello { protocol, ..base_station() }.emit(Role::BaseStation, &mut out);
            let error = Hello::read(&mut Reader::new(&out)).unwrap_err();
            assert_eq!(error, Error::Malformed { at: 5, rule: Rule::VersionRange });
        }
    }
}
