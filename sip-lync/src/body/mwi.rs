//! `application/simple-message-summary`: messages that wait.

use core::fmt;

use crate::error::{ParseError, Rule};

/// How many messages wait.
///
/// RFC 3842 5.2
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageSummary {
    /// Whether any message waits.
    pub waiting: bool,
    /// Whose messages.
    pub account: Option<String>,
    /// New and old voice messages.
    pub voice: Option<(u32, u32)>,
    /// New and old urgent voice messages.
    pub urgent: Option<(u32, u32)>,
}

impl MessageSummary {
    /// Reads the body.
    ///
    /// RFC 3842 5.2
    pub fn parse(body: &str) -> Result<Self, ParseError> {
        let mut summary = Self::default();
        let mut status = false;
        let mut at = 0;
        for raw in body.split_inclusive('\n') {
            let start = at;
            at += raw.len();
            let line = raw.trim();
            // Behind the empty line come header fields of single messages.
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| ParseError::new(start, Rule::Colon))?;
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("Messages-Waiting") {
                status = true;
                summary.waiting = match value {
                    word if word.eq_ignore_ascii_case("yes") => true,
                    word if word.eq_ignore_ascii_case("no") => false,
                    _ => return Err(ParseError::new(start, Rule::Keyword)),
                };
            } else if name.eq_ignore_ascii_case("Message-Account") {
                summary.account = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("Voice-Message") {
                let (all, urgent) = match value.split_once('(') {
                    Some((all, urgent)) => (all, urgent.trim_end().strip_suffix(')')),
                    None => (value, None),
                };
                summary.voice = Some(counts(all).ok_or_else(|| ParseError::new(start, Rule::Number))?);
                summary.urgent = urgent.and_then(counts);
            }
        }
        if status { Ok(summary) } else { Err(ParseError::new(0, Rule::Keyword)) }
    }
}

/// `new/old`
fn counts(text: &str) -> Option<(u32, u32)> {
    let (new, old) = text.trim().split_once('/')?;
    Some((new.trim().parse().ok()?, old.trim().parse().ok()?))
}

impl fmt::Display for MessageSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Messages-Waiting: {}\r\n", if self.waiting { "yes" } else { "no" })?;
        if let Some(account) = &self.account {
            write!(f, "Message-Account: {account}\r\n")?;
        }
        if let Some((new, old)) = self.voice {
            write!(f, "Voice-Message: {new}/{old}")?;
            if let Some((new, old)) = self.urgent {
                write!(f, " ({new}/{old})")?;
            }
            f.write_str("\r\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_and_written() {
        let text = "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n";
        let summary = MessageSummary::parse(text).unwrap();
        assert_eq!((summary.waiting, summary.voice, summary.urgent), (true, Some((2, 8)), Some((0, 2))));
        assert_eq!(summary.to_string(), text);
        let odd = MessageSummary::parse("messages-waiting:no\nVoice-Message: 0/ 1\n\nSubject: x").unwrap();
        assert_eq!((odd.waiting, odd.voice), (false, Some((0, 1))));
        for text in [
            "",
            "Voice-Message: 1/2",
            "Messages-Waiting: maybe",
            "Messages-Waiting: yes\r\nrubbish",
            "Messages-Waiting: yes\r\nVoice-Message: 1",
        ] {
            assert!(MessageSummary::parse(text).is_err(), "{text}");
        }
    }
}
