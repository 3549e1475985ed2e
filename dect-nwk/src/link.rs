//! What goes over the seam to the data link control layer: link identifiers, inputs and transmissions.

use crate::authentication::CipherKey;
use crate::element::ReleaseReason;

/// A data link endpoint identifier (DLEI), chosen by whoever owns the link layer.
///
/// EN 300 175-4 8.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// A call of a [`FixedPart`](crate::FixedPart) or of a [`PortablePart`](crate::PortablePart).
///
/// EN 300 175-5 7.3 (the machine's own number for a transaction of call control)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// A transaction of call independent supplementary services.
///
/// EN 300 175-5 7.3 (the machine's own number for a transaction of CISS)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub u32);

/// How a link ends: after outstanding frames were delivered, or at once.
///
/// EN 300 175-4 8.3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReleaseMode {
    /// Outstanding frames are delivered first.
    Normal,
    /// The link is gone, or shall go, at once.
    Abnormal,
}

/// What the data link control layer tells the network layer.
///
/// EN 300 175-4 8.3
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// DL_BROADCAST-ind, portable part only: the octets of a B-format message.
    Broadcast(&'a [u8]),
    /// DL_ESTABLISH-ind at the fixed part, with the first message where the portable part sent one along;
    /// DL_ESTABLISH-cfm at the portable part, without a message.
    Established {
        /// The new link.
        link: LinkId,
        /// The S-format message that came with the establishment.
        sdu: Option<&'a [u8]>,
    },
    /// DL_DATA-ind: one S-format message.
    Data {
        /// The link it came over.
        link: LinkId,
        /// The message.
        sdu: &'a [u8],
    },
    /// DL_RELEASE-ind, and also DL_RELEASE-cfm after a release of our own.
    Released {
        /// The link that is gone.
        link: LinkId,
        /// How it ended.
        mode: ReleaseMode,
    },
    /// DL_SUSPEND-ind, and also DL_SUSPEND-cfm after a request of our own: the link of class B sleeps without a bearer.
    Suspended {
        /// The link.
        link: LinkId,
    },
    /// DL_RESUME-ind, and also DL_RESUME-cfm after a request of our own: the link has a bearer again.
    Resumed {
        /// The link.
        link: LinkId,
    },
    /// The link goes on under another number: a handover between parts of the link layer that have numbers of their
    /// own. A handover within one of them shows nowhere here.
    Moved {
        /// The number it had.
        from: LinkId,
        /// The number it has now.
        to: LinkId,
    },
    /// DL_ENCRYPT-ind at the fixed part, DL_ENCRYPT-cfm at the portable part.
    Encrypted {
        /// The link.
        link: LinkId,
        /// Whether it is ciphered now.
        on: bool,
    },
}

/// What the network layer asks of the data link control layer; `len` octets were appended to the caller's buffer.
///
/// EN 300 175-4 8.3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transmit {
    /// DL_BROADCAST-req, fixed part only: a page for all base stations of the location area.
    Broadcast {
        /// Octets appended to the buffer.
        len: usize,
    },
    /// DL_ESTABLISH-req, portable part only, with the first message.
    Establish {
        /// The number the portable part gives the new link.
        link: LinkId,
        /// Octets appended to the buffer.
        len: usize,
    },
    /// DL_DATA-req: one S-format message.
    Data {
        /// The link to send it over.
        link: LinkId,
        /// Octets appended to the buffer.
        len: usize,
    },
    /// DL_RELEASE-req. The link's owner answers with [`Input::Released`] when it is gone; after an abnormal
    /// release no answer is needed.
    Release {
        /// The link to release.
        link: LinkId,
        /// How to release it.
        mode: ReleaseMode,
    },
    /// DL_SUSPEND-req: the link of class B gives up its bearer and stays.
    Suspend {
        /// The link.
        link: LinkId,
    },
    /// DL_RESUME-req: the link that sleeps is needed again.
    Resume {
        /// The link.
        link: LinkId,
    },
    /// DL_ENC_KEY-req: the cipher key for the link, before ciphering is switched on.
    EncryptionKey {
        /// The link.
        link: LinkId,
        /// The key.
        key: CipherKey,
    },
    /// A default cipher key, for a link that has just come up: where both sides hand over one with the same index the
    /// link is ciphered from now on, and both are told; otherwise it stays clear.
    DefaultKey {
        /// The link.
        link: LinkId,
        /// The index of the key.
        index: u16,
        /// The key.
        key: CipherKey,
    },
    /// DL_ENCRYPT-req, portable part only: the portable part always starts and stops ciphering.
    Encrypt {
        /// The link.
        link: LinkId,
        /// Whether to cipher.
        on: bool,
    },
}

/// Whether a call that ends for this reason leaves the link for the next one: partial release, and a set-up
/// collision, after which the fixed part calls again.
pub(crate) const fn survives(reason: ReleaseReason) -> bool {
    matches!(reason, ReleaseReason::PartialRelease | ReleaseReason::InsufficientResources)
}
