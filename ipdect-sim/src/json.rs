//! JSON Lines: the commands a program reads and the lines it writes.
//!
//! A line that cannot be read is answered with `{"ok":false,"error":"…","at":BYTE_OFFSET}` and the next one is read.

use serde::Deserialize;
use serde_json::{Value, json};

/// A line that is no command: what is wrong, and at which byte of the line.
///
/// README.md, section "Commands"
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BadLine {
    /// One clear line.
    pub error: String,
    /// The offset of the octet where reading stopped.
    pub at: usize,
}

impl BadLine {
    /// The answer line.
    ///
    /// README.md, section "Commands"
    pub fn to_json(&self) -> Value {
        json!({ "ok": false, "error": self.error, "at": self.at })
    }
}

/// What a simulated Lync user is told to do.
///
/// README.md, section "Commands"
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserCommand {
    /// Call a SIP URI, a `tel:` URI or a number.
    Call(String),
    /// Answer the call that rings.
    Answer,
    /// End the call, whatever its state.
    HangUp,
    /// Hold the call.
    Hold,
    /// Retrieve the held call.
    Retrieve,
    /// Ask the other side to call a SIP URI, a `tel:` URI or a number.
    Transfer(String),
    /// Speak a WAV file (8 kHz, one channel, 16 bits).
    Play(String),
    /// Write what is heard into a WAV file when the media ends.
    Record(String),
}

/// What a simulated handset is told to do.
///
/// README.md, section "Commands"
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandsetCommand {
    /// Power on: register the location if there is a subscription.
    SwitchOn,
    /// Subscribe on the air with the access code of the command line, or the one given here.
    Subscribe(Option<String>),
    /// Seize a line without digits.
    OffHook,
    /// Call a number.
    Dial(String),
    /// Answer the call that rings.
    Answer,
    /// End or refuse the call.
    HangUp,
    /// Hold the call.
    Hold,
    /// Retrieve the held call.
    Retrieve,
    /// The R key.
    Recall,
    /// Send the other side to a number; without one to the second call.
    Transfer(Option<String>),
    /// Press keys in a call.
    Keys(String),
    /// Leave the range of the base station.
    WalkOut,
    /// Come back into its range and register the location.
    WalkIn,
    /// Speak a WAV file.
    Play(String),
    /// Write what is heard into a WAV file when the bearer ends.
    Record(String),
    /// Report what the display shows.
    Display,
}

#[derive(Deserialize)]
struct Line {
    handset: Option<String>,
    #[serde(rename = "do")]
    action: String,
    number: Option<String>,
    to: Option<String>,
    uri: Option<String>,
    keys: Option<String>,
    code: Option<String>,
    file: Option<String>,
}

/// Reads a command of a Lync user.
///
/// README.md, section "Commands"
pub fn user_command(line: &str) -> Result<UserCommand, BadLine> {
    let words = parse(line)?;
    let target = words.to.clone().or_else(|| words.uri.clone()).or_else(|| words.number.clone());
    Ok(match words.action.as_str() {
        "call" => UserCommand::Call(needed(line, target, "call needs `to`")?),
        "answer" => UserCommand::Answer,
        "hang-up" => UserCommand::HangUp,
        "hold" => UserCommand::Hold,
        "retrieve" => UserCommand::Retrieve,
        "play" => UserCommand::Play(needed(line, words.file, "play needs `file`")?),
        "record" => UserCommand::Record(needed(line, words.file, "record needs `file`")?),
        "transfer" => UserCommand::Transfer(needed(line, target, "transfer needs `to`")?),
        "im" | "watch" => return Err(not_built(line, &words.action)),
        _ => return Err(unknown(line, &words.action)),
    })
}

/// Reads a command of a handset: the handset's IPEI as it was written, and what it does.
///
/// README.md, section "Commands"
pub fn handset_command(line: &str) -> Result<(String, HandsetCommand), BadLine> {
    let words = parse(line)?;
    let handset = needed(line, words.handset, "a command needs `handset`")?;
    let command = match words.action.as_str() {
        "switch-on" => HandsetCommand::SwitchOn,
        "subscribe" => HandsetCommand::Subscribe(words.code),
        "off-hook" => HandsetCommand::OffHook,
        "dial" => HandsetCommand::Dial(needed(line, words.number, "dial needs `number`")?),
        "answer" => HandsetCommand::Answer,
        "hang-up" => HandsetCommand::HangUp,
        "hold" => HandsetCommand::Hold,
        "retrieve" => HandsetCommand::Retrieve,
        "recall" => HandsetCommand::Recall,
        "keys" => HandsetCommand::Keys(needed(line, words.keys.or(words.number), "keys needs `keys`")?),
        "walk-out" => HandsetCommand::WalkOut,
        "walk-in" => HandsetCommand::WalkIn,
        "play" => HandsetCommand::Play(needed(line, words.file, "play needs `file`")?),
        "record" => HandsetCommand::Record(needed(line, words.file, "record needs `file`")?),
        "display" => HandsetCommand::Display,
        "transfer" => HandsetCommand::Transfer(words.number),
        _ => return Err(unknown(line, &words.action)),
    };
    Ok((handset, command))
}

fn parse(line: &str) -> Result<Line, BadLine> {
    serde_json::from_str(line).map_err(|error| {
        let at = if error.is_eof() { line.len() } else { error.column().saturating_sub(1).min(line.len()) };
        BadLine { error: error.to_string(), at }
    })
}

fn needed(line: &str, word: Option<String>, error: &str) -> Result<String, BadLine> {
    word.ok_or_else(|| BadLine { error: error.to_owned(), at: line.find("\"do\"").unwrap_or_default() })
}

fn not_built(line: &str, action: &str) -> BadLine {
    BadLine { error: format!("`{action}` is not built yet"), at: place(line, action) }
}

fn unknown(line: &str, action: &str) -> BadLine {
    BadLine { error: format!("unknown command `{action}`"), at: place(line, action) }
}

fn place(line: &str, action: &str) -> usize {
    line.find(&format!("\"{action}\"")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_told_whom_to_call() {
        assert_eq!(
            user_command(r#"{"do":"call","to":"sip:bob@example.net"}"#),
            Ok(UserCommand::Call("sip:bob@example.net".to_owned()))
        );
        assert_eq!(user_command(r#"{"do":"hang-up"}"#), Ok(UserCommand::HangUp));
    }

    #[test]
    fn a_handset_is_named_by_its_ipei() {
        assert_eq!(
            handset_command(r#"{"handset":"05003 0070387","do":"dial","number":"200"}"#),
            Ok(("05003 0070387".to_owned(), HandsetCommand::Dial("200".to_owned())))
        );
    }

    #[test]
    fn a_bad_line_says_where() {
        assert_eq!(user_command(r#"{"do":"call""#).expect_err("not closed").at, 12);
        assert_eq!(user_command(r#"{"do":"fly"}"#).expect_err("unknown").at, 6);
        assert_eq!(user_command(r#"{"do":"call"}"#).expect_err("no target").at, 1);
        assert_eq!(handset_command(r#"{"do":"answer"}"#).expect_err("no handset").at, 1);
        let absent = user_command(r#"{"do":"watch","to":"x"}"#).expect_err("absent");
        assert_eq!(absent.to_json()["ok"], false);
        assert!(absent.error.contains("not built"));
    }
}
