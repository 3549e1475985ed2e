//! From the digits of a handset to the URI of an INVITE.

/// Why digits cannot be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDiallable {
    /// Nothing was dialled.
    #[error("no digits")]
    Empty,
    /// A character that is no digit, `*`, `#` or leading `+`.
    #[error("character {0:?} cannot be dialled")]
    Character(char),
    /// More than 64 characters.
    #[error("more than 64 characters")]
    TooLong,
}

/// How digits become a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbering {
    /// The SIP domain of the user who dials.
    pub(crate) domain: String,
    /// Name of the dial plan that normalises numbers without `+`.
    pub(crate) dial_plan: String,
    /// Use the `sips` scheme.
    pub(crate) sips: bool,
}

impl Numbering {
    /// The request URI for dialled digits: `+` numbers as they are, others left to the caller's dial plan on the front end.
    pub(crate) fn target(&self, dialled: &str) -> Result<String, NotDiallable> {
        if dialled.is_empty() {
            return Err(NotDiallable::Empty);
        }
        if dialled.len() > 64 {
            return Err(NotDiallable::TooLong);
        }
        let mut user = String::with_capacity(dialled.len());
        for (place, character) in dialled.chars().enumerate() {
            match character {
                '0'..='9' | '*' => user.push(character),
                '+' if place == 0 => user.push('+'),
                '#' => user.push_str("%23"),
                other => return Err(NotDiallable::Character(other)),
            }
        }
        if user == "+" {
            return Err(NotDiallable::Empty);
        }
        let scheme = if self.sips { "sips" } else { "sip" };
        if !user.starts_with('+') && !self.dial_plan.is_empty() {
            user.push_str(";phone-context=");
            user.push_str(&self.dial_plan);
        }
        Ok(format!("{scheme}:{user}@{};user=phone", self.domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_uris() {
        let numbering =
            Numbering { domain: "example.net".into(), dial_plan: "user-default".into(), sips: false };
        let table = [
            ("+14255550100", Ok("sip:+14255550100@example.net;user=phone")),
            ("9123", Ok("sip:9123;phone-context=user-default@example.net;user=phone")),
            ("*21#", Ok("sip:*21%23;phone-context=user-default@example.net;user=phone")),
            ("", Err(NotDiallable::Empty)),
            ("+", Err(NotDiallable::Empty)),
            ("12+3", Err(NotDiallable::Character('+'))),
            ("12@evil", Err(NotDiallable::Character('@'))),
            ("1\r\n", Err(NotDiallable::Character('\r'))),
        ];
        for (dialled, expected) in table {
            assert_eq!(numbering.target(dialled), expected.map(str::to_owned), "{dialled:?}");
        }
        assert_eq!(numbering.target(&"1".repeat(65)), Err(NotDiallable::TooLong));
    }
}
