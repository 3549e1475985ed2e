//! The session timer: who refreshes a session, how often, and when it is given up.

use std::time::Duration;

use crate::headers::{Headers, Refresher, SessionExpires};

/// The smallest interval anybody may ask for, in seconds.
///
/// RFC 4028 4
pub const LEAST: u32 = 90;

/// The agreed timer of a session.
///
/// RFC 4028 7.2, RFC 4028 9
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionTimer {
    /// Without a refresh the session is over after this time.
    pub interval: Duration,
    /// Whether we refresh, or the peer does.
    pub ours: bool,
}

/// The interval that was asked for is below what we accept.
///
/// RFC 4028 6
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TooSmall;

impl SessionTimer {
    /// What the peer's INVITE or UPDATE asks for and what our 2xx answers; `None` when it asks for nothing.
    ///
    /// RFC 4028 9
    pub fn of_request(headers: &Headers) -> Result<Option<Self>, TooSmall> {
        let Ok(Some(asked)) = headers.session_expires() else { return Ok(None) };
        if asked.interval < LEAST {
            return Err(TooSmall);
        }
        let supports = headers.supported().is_ok_and(|options| options.contains("timer"));
        // RFC 4028 table 2: a peer that does not know the timer cannot be made to refresh.
        let ours = match asked.refresher {
            Some(Refresher::Uas) => true,
            Some(Refresher::Uac) | None => !supports,
        };
        Ok(Some(Self { interval: seconds(asked.interval), ours }))
    }

    /// What a 2xx to our INVITE or UPDATE agrees to.
    ///
    /// RFC 4028 7.2
    #[must_use]
    pub fn of_response(headers: &Headers) -> Option<Self> {
        let agreed = headers.session_expires().ok().flatten()?;
        Some(Self { interval: seconds(agreed.interval), ours: agreed.refresher != Some(Refresher::Uas) })
    }

    /// Session-Expires of our 2xx.
    ///
    /// RFC 4028 9
    #[must_use]
    pub fn in_response(&self) -> SessionExpires {
        let refresher = if self.ours { Refresher::Uas } else { Refresher::Uac };
        SessionExpires::new(self.interval.as_secs() as u32, Some(refresher))
    }

    /// Session-Expires of our refresh: the roles stay as they are.
    ///
    /// RFC 4028 7.4
    #[must_use]
    pub fn in_request(&self) -> SessionExpires {
        let refresher = if self.ours { Refresher::Uac } else { Refresher::Uas };
        SessionExpires::new(self.interval.as_secs() as u32, Some(refresher))
    }

    /// When something is due after a refresh: ours at half of the interval, the end of the session a little before the
    /// interval is over.
    ///
    /// RFC 4028 10
    #[must_use]
    pub fn due(&self) -> Duration {
        if self.ours {
            return self.interval / 2;
        }
        self.interval.saturating_sub((self.interval / 3).min(Duration::from_secs(32)))
    }
}

/// Peers that agree to less than is allowed are not refreshed more often than every ten seconds.
fn seconds(interval: u32) -> Duration {
    Duration::from_secs(u64::from(interval.clamp(20, 7 * 86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::HeaderName;

    fn headers(session_expires: &str, supported: &str) -> Headers {
        let mut headers = Headers::new();
        headers.push(HeaderName::SessionExpires, session_expires);
        headers.push(HeaderName::Supported, supported);
        headers
    }

    #[test]
    fn who_refreshes_is_what_the_request_says_or_who_can() {
        for (asked, supported, ours) in [
            ("1800;refresher=uas", "timer", true),
            ("1800;refresher=uac", "timer", false),
            ("1800", "100rel, timer", false),
            ("1800", "100rel", true),
            ("1800;refresher=uac", "100rel", true),
        ] {
            let timer = SessionTimer::of_request(&headers(asked, supported)).unwrap().unwrap();
            assert_eq!(
                timer,
                SessionTimer { interval: Duration::from_mins(30), ours },
                "{asked} {supported}"
            );
            let answer = timer.in_response();
            assert_eq!(answer.to_string(), format!("1800;refresher={}", if ours { "uas" } else { "uac" }));
        }
        assert_eq!(SessionTimer::of_request(&Headers::new()), Ok(None));
        assert_eq!(SessionTimer::of_request(&headers("89", "timer")), Err(TooSmall));
    }

    #[test]
    fn the_2xx_decides_for_the_caller() {
        let timer = SessionTimer::of_response(&headers("1800;refresher=uas", "")).unwrap();
        assert!(!timer.ours);
        assert_eq!(timer.due(), Duration::from_secs(1800 - 32));
        assert_eq!(timer.in_request().to_string(), "1800;refresher=uas");
        let timer = SessionTimer::of_response(&headers("90;refresher=uac", "")).unwrap();
        assert!(timer.ours);
        assert_eq!(timer.due(), Duration::from_secs(45));
        assert_eq!(SessionTimer { ours: false, ..timer }.due(), Duration::from_mins(1));
        assert_eq!(SessionTimer::of_response(&Headers::new()), None);
        assert_eq!(SessionTimer::of_response(&headers("0", "")).unwrap().interval, Duration::from_secs(20));
    }
}
