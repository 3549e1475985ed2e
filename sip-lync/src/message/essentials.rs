//! The header fields that every message has, read once for all who want to know of them.

use crate::headers::{CSeq, HeaderName, Headers, NameAddrView, ViaView};

/// What transactions, dialogs and registrations are told apart by, where it was received. What cannot be read is missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Essentials<'a> {
    /// The topmost Via.
    pub(crate) via: Option<ViaView<'a>>,
    pub(crate) from: Option<NameAddrView<'a>>,
    pub(crate) to: Option<NameAddrView<'a>>,
    pub(crate) cseq: Option<CSeq>,
}

impl<'a> Essentials<'a> {
    pub(crate) fn read(headers: &'a Headers) -> Self {
        let address = |name: &HeaderName| NameAddrView::parse(headers.get(name)?).ok();
        Self {
            via: headers.top_via(),
            from: address(&HeaderName::From),
            to: address(&HeaderName::To),
            cseq: headers.cseq().ok().flatten(),
        }
    }

    /// The branch of the topmost Via.
    pub(crate) fn branch(&self) -> Option<&'a str> {
        self.via?.branch()
    }
}
