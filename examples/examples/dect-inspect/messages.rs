//! Messages and pages to JSON and back.

use bytes::BytesMut;
use dect_nwk::{
    ElementIdentifier, Error, InformationElement, Message, MessageType, ProtocolDiscriminator, Rule,
    element::Opaque,
    message::{Fault, Side, Transaction},
    page::Page,
};
use serde_json::{Map, Value, json};

use crate::{Bad, hex, octets};

/// Explains one message.
pub(crate) fn decode(octets: &[u8], from: Option<Side>) -> Result<Value, Bad> {
    let message = Message::parse(octets)?;
    if let MessageType::Unknown(..) = message.message_type {
        let at = Some(1 + usize::from(message.transaction.extended));
        return Err(Bad { error: Rule::MessageType.to_string(), at });
    }
    let elements: Vec<Value> = message
        .elements()
        .enumerate()
        .map(|(place, element)| {
            let identifier = element.identifier();
            let mut fields = fields(element);
            if let Some(received) = message.received(place) {
                fields.insert("received".into(), hex(received).into());
            }
            json!({"name": identifier.name(), "id": identifier.number(), "fields": fields})
        })
        .collect();
    let dropped = Some(message.dropped()).filter(|dropped| !dropped.is_empty());
    let mut line = json!({
        "ok": dropped.is_none(),
        "protocol": message.protocol_discriminator().name(),
        "transaction": {
            "flag": u8::from(message.transaction.flag),
            "value": message.transaction.value,
            "extended": message.transaction.extended,
        },
        "message": message.message_type.name(),
        "elements": elements,
        "problems": problems(&message, from),
        "dropped": dropped.map(|dropped| hex(dropped)),
        "again": hex(&message.to_bytes()),
    });
    if let Some(dropped) = dropped {
        // What stands before the element that is cut off is shown all the same.
        let error = Error::Malformed { at: octets.len() - dropped.len(), rule: Rule::Truncated };
        line["error"] = error.to_string().into();
        line["at"] = error.at().into();
    }
    Ok(line)
}

/// What the rules have against the message when it comes from this side, or from the side that may send it.
fn problems(message: &Message, from: Option<Side>) -> Vec<Value> {
    let of = |side: Side| {
        let mut problems = Vec::new();
        if !message.message_type.may_come_from(side) {
            problems.push(json!({"element": null, "what": "not a message of this side"}));
        }
        if !message.transaction.is_legal(message.protocol_discriminator()) {
            problems.push(json!({"element": null, "what": "transaction value not allowed for the protocol"}));
        }
        for fault in message.faults(side) {
            problems.push(match fault {
                Fault::Missing(element) => json!({"element": element.name(), "what": "missing"}),
                Fault::Contents(element) => json!({"element": element.name(), "what": "contents"}),
            });
        }
        problems
    };
    let sides = from.map_or_else(|| vec![Side::Fixed, Side::Portable], |side| vec![side]);
    sides.into_iter().map(of).min_by_key(Vec::len).unwrap_or_default()
}

/// The contents of an element.
pub(crate) fn fields(element: &InformationElement) -> Map<String, Value> {
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    match element {
        InformationElement::Empty(_) => one("empty", true.into()),
        InformationElement::Opaque(opaque) => one("contents", opaque.contents.to_string().into()),
        InformationElement::Broken(opaque) => one("broken", opaque.contents.to_string().into()),
        _ => match serde_json::to_value(element) {
            Ok(Value::Object(tagged)) => match tagged.into_iter().next() {
                Some((_, Value::Object(fields))) => fields,
                Some((_, value)) => one("value", value),
                None => Map::new(),
            },
            _ => Map::new(),
        },
    }
}

/// Explains one page.
pub(crate) fn page(text: &str, length: usize) -> Result<Value, Bad> {
    let octets = octets(text)?;
    if octets.len() != length {
        return Err(Bad::at(format!("not {length} octets"), octets.len().min(length)));
    }
    let page = Page::parse(&octets)?;
    let mac = octets.first().map_or(0, |first| first >> 4);
    Ok(json!({
        "ok": true,
        "protocol": "LCE",
        "transaction": null,
        "message": "LCE-REQUEST-PAGE",
        "elements": [],
        "page": page,
        "mac": mac,
        "again": hex(&page_octets(page, mac)),
    }))
}

fn page_octets(page: Page, mac: u8) -> BytesMut {
    let mut octets = BytesMut::new();
    page.emit(&mut octets);
    if let Some(first) = octets.first_mut() {
        *first |= mac << 4;
    }
    octets
}

/// Writes a message or a page.
pub(crate) fn encode(line: &str) -> Result<Value, Bad> {
    let value: Value = serde_json::from_str(line)
        .map_err(|error| Bad::at(error.to_string(), error.column().saturating_sub(1)))?;
    if let Some(page) = value.get("page").filter(|page| !page.is_null()) {
        let page =
            serde_json::from_value(page.clone()).map_err(|error| Bad::new(format!("page: {error}")))?;
        let mac = value.get("mac").and_then(Value::as_u64).unwrap_or(0);
        return Ok(json!({"ok": true, "hex": hex(&page_octets(page, mac as u8 & 0xf))}));
    }
    let text = |name: &str| {
        value.get(name).and_then(Value::as_str).ok_or_else(|| Bad::new(format!("no text member `{name}`")))
    };
    let protocol =
        ProtocolDiscriminator::from_name(text("protocol")?).ok_or_else(|| Bad::new("unknown protocol"))?;
    let kind =
        MessageType::from_name(protocol, text("message")?).ok_or_else(|| Bad::new("unknown message"))?;
    let message = Message::new(kind, transaction(value.get("transaction"))?);
    let mut octets = BytesMut::from(&message.to_bytes()[..]);
    let elements =
        value.get("elements").and_then(Value::as_array).ok_or_else(|| Bad::new("no list `elements`"))?;
    for element in elements {
        octets.extend_from_slice(&element_octets(element)?);
    }
    Ok(json!({"ok": true, "hex": hex(&octets)}))
}

fn transaction(value: Option<&Value>) -> Result<Transaction, Bad> {
    let wrong = || Bad::new("`transaction` needs a `flag` of 0 or 1 and a `value` below 256");
    let value = value.ok_or_else(wrong)?;
    let flag = match value.get("flag") {
        Some(Value::Bool(flag)) => *flag,
        Some(flag) if flag.as_u64() == Some(0) => false,
        Some(flag) if flag.as_u64() == Some(1) => true,
        _ => return Err(wrong()),
    };
    let number = value.get("value").and_then(Value::as_u64).ok_or_else(wrong)?;
    let number = u8::try_from(number).map_err(|_| wrong())?;
    let extended = value.get("extended").and_then(Value::as_bool).unwrap_or(false);
    let opened = Transaction::opened(number);
    Ok(Transaction { flag, extended: extended || opened.extended, ..opened })
}

fn element_octets(value: &Value) -> Result<Vec<u8>, Bad> {
    let name =
        value.get("name").and_then(Value::as_str).ok_or_else(|| Bad::new("an element without `name`"))?;
    let id = value.get("id").and_then(Value::as_u64).and_then(|id| u8::try_from(id).ok());
    let mut fields = match value.get("fields") {
        Some(Value::Object(fields)) => fields.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(Bad::new(format!("{name}: `fields` is no object"))),
    };
    let received = fields.remove("received");
    let element = element(name, id, &fields).map_err(|bad| Bad::new(format!("{name}: {}", bad.error)))?;
    let mut written = BytesMut::new();
    element.emit(&mut written);
    // The coding in which the element came holds as long as its fields say the same.
    if let Some(received) = received.as_ref().and_then(Value::as_str) {
        let received = octets(received)?;
        let head = Message::new(MessageType::CcInfo, Transaction::opened(0)).to_bytes();
        let message = Message::parse(&[&head, &received[..]].concat())?;
        if message.dropped().is_empty() && message.elements().eq([&element]) {
            return Ok(received);
        }
    }
    Ok(written.to_vec())
}

fn element(name: &str, id: Option<u8>, fields: &Map<String, Value>) -> Result<InformationElement, Bad> {
    let identifier = match (name, id) {
        ("reserved", Some(id)) => ElementIdentifier::Reserved(id),
        ("other-codeset", Some(id)) => ElementIdentifier::OtherCodeset(id),
        ("reserved" | "other-codeset", None) => return Err(Bad::new("needs an `id`")),
        _ => ElementIdentifier::from_name(name).ok_or_else(|| Bad::new("no such element"))?,
    };
    if fields.get("empty").is_some_and(|empty| *empty == Value::Bool(true)) {
        return Ok(InformationElement::Empty(identifier));
    }
    for (member, opaque) in
        [("contents", InformationElement::Opaque as fn(Opaque) -> _), ("broken", InformationElement::Broken)]
    {
        if let (1, Some(Value::String(text))) = (fields.len(), fields.get(member)) {
            return Ok(opaque(Opaque { identifier, contents: text.parse()? }));
        }
    }
    let tagged = match identifier {
        ElementIdentifier::SendingComplete => return Ok(InformationElement::SendingComplete),
        ElementIdentifier::DelimiterRequest => return Ok(InformationElement::DelimiterRequest),
        ElementIdentifier::UseTpui => return Ok(InformationElement::UseTpui),
        ElementIdentifier::LockingShift | ElementIdentifier::NonLockingShift => json!({"shift": fields}),
        _ => match (fields.len(), fields.get("value")) {
            (1, Some(value)) => json!({name: value}),
            _ => json!({name: fields}),
        },
    };
    serde_json::from_value(tagged).map_err(|error| Bad::new(error.to_string()))
}
