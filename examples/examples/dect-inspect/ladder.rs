//! A picture of messages between the two sides.

use std::{
    io::{self, Write},
    path::Path,
};

use dect_nwk::{
    Message, MessageType,
    message::{Fault, Side},
    page::Page,
};
use serde_json::Value;

use crate::{Bad, messages, octets};

const WIDTH: usize = 44;

/// Draws every line of the file.
pub(crate) fn draw(file: &Path, out: &mut impl Write) -> io::Result<()> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            // The file could not be read: there is no octet to point at.
            let bad = Bad { error: format!("{}: {error}", file.display()), at: None };
            return writeln!(out, "{}", bad.line());
        }
    };
    writeln!(out, "portable{:>width$}", "fixed", width = WIDTH + 3)?;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match step(line) {
            Ok((side, title, details)) => {
                let title = format!(" {title} ");
                let arrow = match side {
                    Side::Portable => format!("{title:-^WIDTH$}>"),
                    Side::Fixed => format!("<{title:-^WIDTH$}"),
                };
                writeln!(out, "    |{arrow}|")?;
                for detail in details {
                    writeln!(out, "    |  {detail}")?;
                }
            }
            Err(bad) => writeln!(out, "{}", bad.line())?,
        }
    }
    out.flush()
}

/// Who sends, the title of the arrow, and what is written below it.
fn step(line: &str) -> Result<(Side, String, Vec<String>), Bad> {
    let (direction, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let side = match direction {
        "P>F" => Side::Portable,
        "F>P" => Side::Fixed,
        _ => return Err(Bad::new("a line begins with `P>F` or `F>P`")),
    };
    let base = line.len() - rest.len();
    if let Some(page) = rest.trim_start().strip_prefix("page") {
        let base = line.len() - page.len();
        let page = Page::parse(&octets(page).map_err(|bad| bad.behind(base))?)?;
        let details =
            serde_json::to_value(page).map_or_else(|error| error.to_string(), |value| value.to_string());
        return Ok((side, "LCE-REQUEST-PAGE".into(), vec![details]));
    }
    let message = Message::parse(&octets(rest).map_err(|bad| bad.behind(base))?)?;
    let transaction = message.transaction;
    let name = match message.message_type {
        MessageType::Unknown(_, code) => format!("UNKNOWN {code:02x}"),
        known => known.name().to_owned(),
    };
    let title = format!(
        "{name} [{} {}{}]",
        message.protocol_discriminator().name(),
        transaction.value,
        if transaction.flag { " answer" } else { "" },
    );
    let mut details: Vec<String> = message
        .elements()
        .map(|element| {
            let fields = messages::fields(element);
            let name = element.identifier().name();
            match fields.get("value").filter(|_| fields.len() == 1) {
                Some(Value::String(value)) => format!("{name} {value}"),
                _ if fields.is_empty() => name.to_owned(),
                _ => format!("{name} {}", Value::Object(fields)),
            }
        })
        .collect();
    for fault in message.faults(side) {
        details.push(match fault {
            Fault::Missing(element) => format!("fault: {element} is missing"),
            Fault::Contents(element) => format!("fault: {element} breaks its rules"),
        });
    }
    if !message.dropped().is_empty() {
        details.push(format!("fault: cut off: {}", crate::hex(message.dropped())));
    }
    if !message.message_type.may_come_from(side) {
        details.push("fault: not a message of this side".into());
    }
    Ok((side, title, details))
}
