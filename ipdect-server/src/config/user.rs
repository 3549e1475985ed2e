//! One user and the handset that belongs to him.

use serde::Deserialize;

use super::secret::Secret;

/// One `[[user]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names of the keys")]
pub struct User {
    /// The handset's equipment identity, as text `05003 0070387`.
    pub ipei: HandsetIdentity,
    /// SIP user without domain.
    pub username: String,
    /// The name that others see.
    pub display_name: String,
    /// What the idle handset shows.
    pub standby_text: String,
    /// Access code for the subscription; empty: the system's.
    pub access_code: Secret,
    /// SIP domain; empty: the default domain.
    pub domain: String,
    /// A disabled user is neither registered nor served.
    pub disabled: bool,
    /// Where all calls go; empty: nowhere.
    pub forward_unconditional: String,
    /// NTLM: log-in name without domain.
    pub auth_user: String,
    /// NTLM: password.
    pub auth_password: Secret,
}

impl User {
    /// The address of record without scheme: `user@domain`.
    pub fn address(&self, default_domain: &str) -> String {
        let domain = if self.domain.is_empty() { default_domain } else { &self.domain };
        format!("{}@{domain}", self.username)
    }
}

/// An IPEI as administrators write it: five and seven digits, with or without its check digit.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct HandsetIdentity(String);

impl HandsetIdentity {
    /// The text `EEEEE PPPPPPP`, without check digit.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether none was given.
    pub fn is_unset(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for HandsetIdentity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let characters: Vec<u8> = text.bytes().filter(|b| *b != b' ' && *b != b'-').collect();
        if characters.is_empty() {
            return Ok(Self::default());
        }
        let wrong = |why: &str| {
            format!(
                "{text:?} is no IPEI ({why}), write the 12 digits of the handset's label, for example \"05003 0070387\""
            )
        };
        let digits = characters.get(..12).ok_or_else(|| wrong("it has fewer than 12 digits"))?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(wrong("it has characters other than digits"));
        }
        let sum: u32 = (1_u32..).zip(digits).map(|(place, digit)| place * u32::from(digit - b'0')).sum();
        let check = match sum % 11 {
            10 => b'*',
            digit => b'0' + digit as u8,
        };
        match characters.get(12..) {
            Some([] | [_]) | None if characters.get(12).is_none_or(|given| *given == check) => {}
            Some([_]) => return Err(wrong(&format!("its check digit should be {}", char::from(check)))),
            _ => return Err(wrong("it has more than 13 digits")),
        }
        let text = String::from_utf8_lossy(digits);
        let (emc, psn) = text.split_at(5);
        if emc.parse::<u32>().is_ok_and(|emc| emc > 0xffff)
            || psn.parse::<u32>().is_ok_and(|psn| psn > 0xf_ffff)
        {
            return Err(wrong("the first five digits go up to 65535, the other seven up to 1048575"));
        }
        Ok(Self(format!("{emc} {psn}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handset_identities_that_are_taken() {
        for text in ["05003 0070387", "050030070387", "05003-0070387", "05003 0070387 8"] {
            assert_eq!(HandsetIdentity::try_from(text.to_owned()).unwrap().text(), "05003 0070387", "{text}");
        }
        assert!(HandsetIdentity::try_from(String::new()).unwrap().is_unset());
    }

    #[test]
    fn handset_identities_that_are_refused() {
        for (text, word) in [
            ("05003", "fewer"),
            ("05003 007038x", "other than digits"),
            ("05003 0070387 4", "check digit should be"),
            ("05003 0070387 88", "more than 13"),
            ("65536 0000001", "65535"),
            ("00001 1048576", "1048575"),
        ] {
            let error = HandsetIdentity::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn the_domain_of_a_user_wins_over_the_default() {
        let mut user = User { username: "jim".to_owned(), ..User::default() };
        assert_eq!(user.address("example.net"), "jim@example.net");
        "example.org".clone_into(&mut user.domain);
        assert_eq!(user.address("example.net"), "jim@example.org");
    }
}
