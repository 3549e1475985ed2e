//! Identities as they are printed and as they travel.

use bytes::BytesMut;
use dect_nwk::{
    Error, InformationElement, Rule,
    element::FixedIdentity,
    identity::{Ipei, Park},
};
use serde_json::{Value, json};

use crate::{Bad, hex};

/// One identity may come as several arguments, when its spaces are not quoted.
pub(crate) fn whole(arguments: Vec<String>) -> Vec<String> {
    if arguments.iter().any(|argument| argument.len() < 9 && argument != "-") {
        vec![arguments.join(" ")]
    } else {
        arguments
    }
}

/// The error with the place in the text where it is: the first wrong character, the check digit, the first character
/// too many or the end.
fn named(text: &str, error: Error, digits: usize) -> Bad {
    let marks = || text.char_indices().filter(|(_, mark)| !matches!(mark, ' ' | '-'));
    let last = marks().next_back().map_or(0, |(at, _)| at);
    let at = match error {
        Error::Value(Rule::CheckDigit) => last,
        Error::Value(Rule::Digit) => marks()
            .find(|(_, mark)| !mark.is_ascii_hexdigit() || digits != usize::MAX && !mark.is_ascii_digit())
            .map_or(last, |(at, _)| at),
        Error::Value(Rule::DigitCount) => {
            marks().nth(digits.saturating_add(1)).map_or(text.len(), |(at, _)| at)
        }
        _ => 0,
    };
    Bad::at(error.to_string(), at)
}

/// Explains an equipment identity.
pub(crate) fn ipei(text: &str) -> Result<Value, Bad> {
    let digits: String = text.chars().filter(|character| !matches!(character, ' ' | '-')).collect();
    let ipei: Ipei =
        if matches!(digits.len(), 9 | 10) && digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            let bits = u64::from_str_radix(&digits, 16).map_err(|error| Bad::new(error.to_string()))?;
            Ipei::from_bits(bits)?
        } else {
            text.parse().map_err(|error| named(text, error, Ipei::DIGITS))?
        };
    Ok(json!({
        "ok": true,
        "emc": ipei.emc(),
        "psn": ipei.psn(),
        "check": ipei.check_digit().to_string(),
        "text": ipei.to_string(),
        "ipui_n": format!("{:010x}", ipei.bits()),
    }))
}

/// Explains an access rights key.
pub(crate) fn park(text: &str) -> Result<Value, Bad> {
    let park: Park = text.parse().map_err(|error| named(text, error, usize::MAX))?;
    let ari = park.ari();
    let mut element = BytesMut::new();
    InformationElement::from(FixedIdentity::park(park)).emit(&mut element);
    Ok(json!({
        "ok": true,
        "pli": park.pli(),
        "class": ari.map(|ari| format!("{:?}", ari.class())),
        "ari": ari.map(|ari| ari.to_string()),
        "check": park.check_digit().to_string(),
        "text": park.to_string(),
        "octal": park.octal(),
        "fixed_identity": hex(&element),
    }))
}
