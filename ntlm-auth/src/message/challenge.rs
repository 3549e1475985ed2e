//! CHALLENGE: the server's message.

use crate::error::Error;
use crate::flags::NegotiateFlags;
use crate::message::field::{Fields, Writing};
use crate::message::{AvPairs, Version};
use crate::text::push_utf16;

/// The CHALLENGE message.
///
/// MS-NLMP 2.2.1.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_field_names, reason = "the names of the specification")]
pub struct Challenge {
    /// What the server offers and demands.
    pub flags: NegotiateFlags,
    /// The server's name; it has no meaning for the login.
    pub target_name: Vec<u8>,
    /// The random number that the answer depends on.
    pub server_challenge: [u8; 8],
    /// Attributes of the server; none from very old ones.
    pub target_info: Option<AvPairs>,
    /// The server's software.
    pub version: Version,
}

impl Challenge {
    /// Reads the message; the shortest has 32 octets.
    ///
    /// MS-NLMP 2.2.1.2
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::of(message, KIND, 32)?;
        let flags = NegotiateFlags(fields.u32(20)?);
        let has_info = flags.contains(NegotiateFlags::TARGET_INFO);
        let header = if has_info { 48 } else { 32 };
        let target_name = fields.field(12, header)?.to_vec();
        let target_info = if has_info {
            let list = fields.field(40, header)?;
            let at = fields.u32(44)? as usize;
            if list.is_empty() { None } else { Some(AvPairs::parse(list, at)?) }
        } else {
            None
        };
        let has_version = flags.contains(NegotiateFlags::VERSION) && fields.payload() >= 56;
        let version = if has_version { fields.array(48)? } else { [0; 8] };
        Ok(Self { flags, target_name, server_challenge: fields.array(24)?, target_info, version })
    }

    /// The message.
    ///
    /// MS-NLMP 2.2.1.2
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let length = self.target_info.as_ref().map_or(0, AvPairs::emitted_length);
        let mut writing = Writing::new(KIND, 56, self.target_name.len() + length);
        writing.put(20, &self.flags.0.to_le_bytes());
        writing.put(24, &self.server_challenge);
        writing.put(48, &self.version);
        writing.field(12, &self.target_name)?;
        if let Some(target_info) = &self.target_info {
            let start = writing.octets.len();
            target_info.emit_into(&mut writing.octets)?;
            writing.end(40, start)?;
        }
        Ok(writing.octets)
    }

    /// A name as it stands in [`Challenge::target_name`] of a challenge with these flags.
    ///
    /// MS-NLMP 2.2.1.2
    #[must_use]
    pub fn name(text: &str, flags: NegotiateFlags) -> Vec<u8> {
        if flags.contains(NegotiateFlags::UNICODE) {
            let mut name = Vec::with_capacity(2 * text.len());
            push_utf16(&mut name, text.chars());
            return name;
        }
        // In a code page only what all of them share.
        text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).collect()
    }
}

const KIND: u32 = 2;
