//! AUTHENTICATE: the client's proof.

use crate::error::{Error, Rule};
use crate::flags::NegotiateFlags;
use crate::message::Version;
use crate::message::field::{Fields, Writing};
use crate::text;

/// The AUTHENTICATE message.
///
/// MS-NLMP 2.2.1.3
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// What the client chose.
    pub flags: NegotiateFlags,
    /// The response of old; zeros or nothing nowadays.
    pub lm_response: Vec<u8>,
    /// The proof and what it was made of.
    pub nt_response: Vec<u8>,
    /// Domain of the user, as it went into the proof.
    pub domain: String,
    /// The user, as it went into the proof.
    pub user: String,
    /// The client's computer.
    pub workstation: String,
    /// The session key, encrypted with a key that only both ends know.
    pub encrypted_session_key: Vec<u8>,
    /// The client's software.
    pub version: Version,
    /// The integrity code; `None` where the message has no room for it.
    pub mic: Option<[u8; 16]>,
}

impl Authenticate {
    /// Reads the message; the shortest has 64 octets. Names are UTF-16 if their flag is set, else ASCII.
    ///
    /// MS-NLMP 2.2.1.3
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::of(message, KIND, HEADER)?;
        let flags = NegotiateFlags(fields.u32(60)?);
        let lm_response = fields.field(12, HEADER)?.to_vec();
        let nt_response = fields.field(20, HEADER)?.to_vec();
        if nt_response.len() > RESPONSE_MAX {
            return Err(Error::Malformed { at: 20, rule: Rule::TooLong });
        }
        let mut name = |at| fields.field(at, HEADER).and_then(|name| text::parse(name, at, flags));
        let (domain, user, workstation) = (name(28)?, name(36)?, name(44)?);
        let encrypted_session_key = fields.field(52, HEADER)?.to_vec();
        let payload = fields.payload();
        let has_version = flags.contains(NegotiateFlags::VERSION) && payload >= MIC_AT;
        Ok(Self {
            flags,
            lm_response,
            nt_response,
            domain,
            user,
            workstation,
            encrypted_session_key,
            version: if has_version { fields.array(64)? } else { [0; 8] },
            mic: if payload >= MIC_AT + 16 { Some(fields.array(MIC_AT)?) } else { None },
        })
    }

    /// The message; with room for the integrity code exactly if there is one.
    ///
    /// MS-NLMP 2.2.1.3
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let header = if self.mic.is_some() { MIC_AT + 16 } else { MIC_AT };
        let mut writing = Writing::new(KIND, header);
        writing.put(60, &self.flags.0.to_le_bytes());
        writing.put(64, &self.version);
        if let Some(mic) = &self.mic {
            writing.put(MIC_AT, mic);
        }
        // The order that clients use.
        writing.field(28, &text::emit(&self.domain, self.flags)?)?;
        writing.field(36, &text::emit(&self.user, self.flags)?)?;
        writing.field(44, &text::emit(&self.workstation, self.flags)?)?;
        writing.field(12, &self.lm_response)?;
        writing.field(20, &self.nt_response)?;
        writing.field(52, &self.encrypted_session_key)?;
        Ok(writing.octets)
    }

    /// Where the integrity code stands.
    ///
    /// MS-NLMP 2.2.1.3
    pub const MIC_RANGE: core::ops::Range<usize> = MIC_AT..MIC_AT + 16;
}

impl core::fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Authenticate")
            .field("flags", &self.flags)
            .field("domain", &self.domain)
            .field("user", &self.user)
            .field("workstation", &self.workstation)
            .finish_non_exhaustive()
    }
}

const KIND: u32 = 3;
const HEADER: usize = 64;
const MIC_AT: usize = 72;
const RESPONSE_MAX: usize = 4096 + 48;
