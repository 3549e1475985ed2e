//! Identities as they are printed and as they travel.

use bytes::BytesMut;
use dect_nwk::{
    InformationElement,
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

/// Explains an equipment identity.
pub(crate) fn ipei(text: &str) -> Result<Value, Bad> {
    let digits: String = text.chars().filter(|character| !matches!(character, ' ' | '-')).collect();
    let ipei: Ipei =
        if matches!(digits.len(), 9 | 10) && digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            let bits = u64::from_str_radix(&digits, 16).map_err(|error| Bad::new(error.to_string()))?;
            Ipei::from_bits(bits)?
        } else {
            text.parse()?
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
    let park: Park = text.parse()?;
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
