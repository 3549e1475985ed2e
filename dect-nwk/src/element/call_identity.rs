//! Call identity: the transaction of a call that another entity talks about.

use bytes::BytesMut;

use super::Contents;
use crate::{
    coding::Reader,
    error::{Error, Rule},
    message::{ProtocolDiscriminator, Transaction},
};

/// The transaction of a call.
///
/// EN 300 175-5 7.7.6
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallIdentity {
    /// The protocol, normally call control.
    pub protocol: ProtocolDiscriminator,
    /// The transaction.
    pub transaction: Transaction,
}

impl Contents for CallIdentity {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let protocol = ProtocolDiscriminator::from_code(first & 0xf)
            .ok_or(Error::Malformed { at: 0, rule: Rule::ProtocolDiscriminator })?;
        let transaction = Transaction::parse(first, || reader.octet())?;
        Ok(Self { protocol, transaction })
    }

    fn emit(&self, contents: &mut BytesMut) {
        self.transaction.emit(self.protocol, contents);
    }
}
