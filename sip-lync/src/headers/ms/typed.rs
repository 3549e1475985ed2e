//! Typed access to header fields of Microsoft's dialect.

use super::{Diagnostics, KeepAlive, PresenceState};
use crate::error::ParseError;
use crate::grammar;
use crate::headers::typed::read;
use crate::headers::{HeaderName, Headers, Tokens};

type Typed<T> = Result<Option<T>, ParseError>;

impl Headers {
    /// ms-diagnostics, else ms-diagnostics-public, else ms-client-diagnostics.
    ///
    /// MS-OCER 2.2.1
    pub fn diagnostics(&self) -> Typed<Diagnostics> {
        for name in
            [HeaderName::MsDiagnostics, HeaderName::MsDiagnosticsPublic, HeaderName::MsClientDiagnostics]
        {
            if let Some(header) = self.all(&name).next() {
                return read(header, Diagnostics::parse).map(Some);
            }
        }
        Ok(None)
    }

    /// ms-keep-alive.
    ///
    /// MS-CONMGMT 2.2.1
    pub fn keep_alive(&self) -> Typed<KeepAlive> {
        self.one(&HeaderName::MsKeepAlive, KeepAlive::parse)
    }

    /// What ms-keep-alive says of CR LF CR LF on this hop and of the time-out; `None` if it is not there once and readable.
    pub(crate) fn keep_alive_agreed(&self) -> Option<(Option<bool>, Option<u32>)> {
        let mut lines = self.all(&HeaderName::MsKeepAlive);
        let first = lines.next()?.value().ok()?;
        if lines.next().is_some() { None } else { KeepAlive::agreed(first) }
    }

    /// presence-state.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn presence_state(&self) -> Typed<PresenceState> {
        self.one(&HeaderName::PresenceState, PresenceState::parse)
    }

    /// The number of the notification that rides on a 200 to SUBSCRIBE.
    ///
    /// MS-PRES 2.2
    pub fn piggyback_cseq(&self) -> Typed<u32> {
        self.one(&HeaderName::MsPiggybackCSeq, |text| grammar::number(grammar::trim(text)))
    }

    /// Whether the server saw the user come through an edge server.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn is_remote_user(&self) -> bool {
        self.get(&HeaderName::MsUserLogonData)
            .is_some_and(|value| grammar::trim(value).eq_ignore_ascii_case("RemoteUser"))
    }

    /// What must be done to recover a dialog whose flow failed: `registration-route-set-update` and
    /// `dialog-route-set-update`.
    ///
    /// MS-SIPRE 3.7
    pub fn dialog_recovery_actions(&self) -> Result<Tokens, ParseError> {
        self.tokens(&HeaderName::PDialogRecoveryAction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_dialect_are_read() {
        let mut headers = Headers::new();
        headers.push(HeaderName::MsClientDiagnostics, "52063;reason=\"a\"");
        assert_eq!(headers.diagnostics().unwrap().map(|d| d.id), Some(52063));
        headers.push(HeaderName::MsDiagnostics, "1;reason=\"b\"");
        assert_eq!(headers.diagnostics().unwrap().map(|d| d.id), Some(1));
        headers.push(HeaderName::MsPiggybackCSeq, 1);
        headers.push(HeaderName::MsUserLogonData, "remoteuser");
        headers.push(
            HeaderName::PDialogRecoveryAction,
            "registration-route-set-update, dialog-route-set-update",
        );
        assert_eq!(headers.piggyback_cseq(), Ok(Some(1)));
        assert!(headers.is_remote_user());
        assert!(headers.dialog_recovery_actions().unwrap().contains("dialog-route-set-update"));
    }
}
