//! Binding a login to the TLS connection that it runs over.

use crate::digest::md5;

/// The digest that stands in the response: of the hash of the server's certificate (`tls-server-end-point`).
///
/// RFC 5929 4; MS-NLMP 2.2.2.1 (MsvAvChannelBindings)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelBinding(pub [u8; 16]);

impl ChannelBinding {
    /// Of a certificate's hash: SHA-256, unless the certificate is signed with something stronger.
    ///
    /// RFC 5929 4.1
    #[must_use]
    pub fn tls_server_end_point(certificate_hash: &[u8]) -> Self {
        let prefix = b"tls-server-end-point:";
        let length = u32::try_from(prefix.len() + certificate_hash.len()).unwrap_or(u32::MAX);
        let mut digest = [0; 16];
        md5(&[&[0; 16], &length.to_le_bytes(), prefix, certificate_hash], &mut digest);
        Self(digest)
    }
}
