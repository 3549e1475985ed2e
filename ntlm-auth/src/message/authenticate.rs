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
        let received = Received::parse(message)?;
        Ok(Self {
            flags: received.flags,
            lm_response: received.lm_response.to_vec(),
            nt_response: received.nt_response.to_vec(),
            domain: received.domain()?,
            user: received.user()?,
            workstation: received.workstation()?,
            encrypted_session_key: received.encrypted_session_key.to_vec(),
            version: received.version,
            mic: received.mic,
        })
    }

    /// The message; with room for the integrity code exactly if there is one.
    ///
    /// MS-NLMP 2.2.1.3
    pub fn emit(&self) -> Result<Vec<u8>, Error> {
        let Self { flags, version, domain, user, workstation, lm_response, .. } = self;
        let opening = Opening {
            flags: *flags,
            version: *version,
            domain,
            user,
            workstation,
            lm_response,
            mic: self.mic,
        };
        let mut writing = opening.write(self.nt_response.len())?;
        writing.field(20, &self.nt_response)?;
        writing.field(52, &self.encrypted_session_key)?;
        Ok(writing.octets)
    }

    /// Where the integrity code stands.
    ///
    /// MS-NLMP 2.2.1.3
    pub const MIC_RANGE: core::ops::Range<usize> = MIC_AT..MIC_AT + 16;
}

/// What stands in a message before the response and the key.
pub(crate) struct Opening<'a> {
    pub(crate) flags: NegotiateFlags,
    pub(crate) version: Version,
    pub(crate) domain: &'a str,
    pub(crate) user: &'a str,
    pub(crate) workstation: &'a str,
    pub(crate) lm_response: &'a [u8],
    pub(crate) mic: Option<[u8; 16]>,
}

impl Opening<'_> {
    /// The beginning of a message, with room for a response of so many octets.
    pub(crate) fn write(&self, response: usize) -> Result<Writing, Error> {
        let header = if self.mic.is_some() { MIC_AT + 16 } else { MIC_AT };
        let names = self.domain.len() + self.user.len() + self.workstation.len();
        let mut writing = Writing::new(KIND, header, 2 * names + self.lm_response.len() + response + 16);
        writing.put(60, &self.flags.0.to_le_bytes());
        writing.put(64, &self.version);
        if let Some(mic) = &self.mic {
            writing.put(MIC_AT, mic);
        }
        // The order that clients use.
        writing.name(28, self.domain, self.flags)?;
        writing.name(36, self.user, self.flags)?;
        writing.name(44, self.workstation, self.flags)?;
        writing.field(12, self.lm_response)?;
        Ok(writing)
    }
}

/// A message whose fields are looked at where they stand.
pub(crate) struct Received<'a> {
    pub(crate) flags: NegotiateFlags,
    pub(crate) lm_response: &'a [u8],
    pub(crate) nt_response: &'a [u8],
    domain: &'a [u8],
    user: &'a [u8],
    workstation: &'a [u8],
    pub(crate) encrypted_session_key: &'a [u8],
    version: Version,
    pub(crate) mic: Option<[u8; 16]>,
}

impl<'a> Received<'a> {
    pub(crate) fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Fields::of(message, KIND, HEADER)?;
        let flags = NegotiateFlags(fields.u32(60)?);
        let mut field = |at| fields.field(at, HEADER);
        let (lm_response, nt_response) = (field(12)?, field(20)?);
        if nt_response.len() > RESPONSE_MAX {
            return Err(Error::Malformed { at: 20, rule: Rule::TooLong });
        }
        let (domain, user, workstation) = (field(28)?, field(36)?, field(44)?);
        let encrypted_session_key = field(52)?;
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

    pub(crate) fn domain(&self) -> Result<String, Error> {
        text::parse(self.domain, 28, self.flags)
    }

    pub(crate) fn user(&self) -> Result<String, Error> {
        text::parse(self.user, 36, self.flags)
    }

    pub(crate) fn workstation(&self) -> Result<String, Error> {
        text::parse(self.workstation, 44, self.flags)
    }
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
