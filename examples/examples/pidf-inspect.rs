//! Reads presence bodies and prints one JSON line for each: `pidf-inspect [--strict|--lenient] [--type CONTENT-TYPE] FILE… | -`.
//!
//! `--strict` (the default) is what we demand of what is published to us, and of ourselves; `--lenient` is what we take from
//! others. Without a content type the root of the body says what it is.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::Parser;
use presence_pidf::category::{CategoryInstance, Content, EventCategories};
use presence_pidf::pidf::{Basic, Presence, Priority, Reading};
use presence_pidf::rlmi::ContactPresence;
use presence_pidf::rpid::Activity;
use presence_pidf::{Body, Error};
use serde_json::{Value, json};

/// Reads presence bodies, one per file, and prints one JSON line for each.
#[derive(Parser)]
#[command(name = "pidf-inspect")]
pub(crate) struct Options {
    /// As the schemas have it (the default).
    #[arg(long, conflicts_with = "lenient")]
    strict: bool,
    /// As others write it.
    #[arg(long)]
    lenient: bool,
    /// The content type of the bodies, as in `application/pidf+xml`.
    #[arg(long = "type", value_name = "CONTENT-TYPE")]
    content_type: Option<String>,
    /// Files, or `-` for the standard input.
    #[arg(required = true)]
    files: Vec<String>,
}

/// One line for one body.
pub(crate) fn inspect(content_type: Option<&str>, reading: Reading, octets: &[u8]) -> Value {
    match Body::parse(content_type, octets, reading) {
        Ok(body) => read(&body),
        Err(Error::Malformed { at, rule }) => refused(&rule.to_string(), &json!(at)),
        Err(error) => refused(&error.to_string(), &Value::Null),
    }
}

/// Every member, none of which applies.
fn nothing() -> Value {
    json!({
        "ok": true, "error": null, "at": null, "kind": null, "entity": null, "version": null, "tuples": null,
        "basic": null, "activities": null, "other": null, "notes": null, "priorities": null, "user_input": null,
        "idle_threshold": null, "last_input": null, "timestamp": null, "person": null, "devices": null,
        "display_name": null, "categories": null, "gone": null, "containers": null, "subscribers": null, "resources": null,
        "watchers": null, "code": null, "conflicts": null, "operations": null,
    })
}

fn with(members: Value) -> Value {
    let mut line = nothing();
    if let (Some(line), Value::Object(members)) = (line.as_object_mut(), members) {
        line.extend(members);
    }
    line
}

fn refused(error: &str, at: &Value) -> Value {
    with(json!({"ok": false, "error": error, "at": at}))
}

fn read(body: &Body<'_>) -> Value {
    match body {
        Body::Pidf(document) => presence("pidf", document),
        Body::Full(full) => {
            let mut line = presence("pidf-full", &full.presence);
            line["version"] = json!(full.version);
            line
        }
        Body::Diff(diff) => with(json!({
            "kind": "pidf-diff", "entity": diff.entity, "version": diff.version, "operations": diff.operations,
        })),
        Body::WatcherInfo(info) => with(json!({
            "kind": "watcherinfo", "entity": info.lists.first().map(|list| &list.resource), "version": info.version,
            "watchers": info.lists.iter().flat_map(|list| &list.watchers).map(|watcher| json!({
                "uri": watcher.uri, "id": watcher.id, "status": watcher.status.token(), "event": watcher.event.token(),
                "expiration": watcher.expiration, "display_name": watcher.display_name,
            })).collect::<Vec<_>>(),
        })),
        Body::List(notification) => {
            let mut line = list(&notification.list);
            let mut categories = Vec::new();
            for contact in &notification.contacts {
                match contact {
                    ContactPresence::Categories(contact) => categories.extend(watched(contact)),
                    ContactPresence::Pidf(document) => fill(&mut line, document),
                    _ => {}
                }
            }
            line["categories"] = json!(categories);
            line
        }
        Body::ListOnly(resources) => list(resources),
        Body::RoamingSelf(data) => {
            let report = data.categories.as_ref();
            with(json!({
                "kind": "roaming-self", "entity": report.map(|report| &report.uri),
                "categories": report.map(|report| report.categories.iter().map(category).collect::<Vec<_>>()),
                "gone": report.map(|report| report.gone.iter().map(|(name, container)| json!({
                    "name": name, "container": container,
                })).collect::<Vec<_>>()),
                "containers": data.containers.as_ref().map(|containers| containers.iter().map(|container| json!({
                    "id": container.id, "version": container.version,
                    "members": container.members.iter().map(|member| json!({
                        "type": member.kind.token(), "value": member.value,
                    })).collect::<Vec<_>>(),
                })).collect::<Vec<_>>()),
                "subscribers": data.subscribers.as_ref().map(|subscribers| subscribers.iter().map(|subscriber| json!({
                    "user": subscriber.user, "display_name": subscriber.display_name, "acknowledged": subscriber.acknowledged,
                })).collect::<Vec<_>>()),
            }))
        }
        Body::RoamingList(kinds) => with(json!({"kind": "roaming-list", "categories": kinds})),
        Body::Categories(categories) => with(json!({
            "kind": "categories", "entity": categories.uri, "categories": watched(categories),
        })),
        Body::Publish(publish) => with(json!({
            "kind": "publish", "entity": publish.uri,
            "categories": publish.publications.iter().map(category).collect::<Vec<_>>(),
        })),
        Body::Fault(fault) => with(json!({
            "kind": "fault", "code": fault.code,
            "conflicts": fault.conflicts.iter().map(|conflict| json!({
                "index": conflict.index, "version": conflict.version, "current": conflict.current,
            })).collect::<Vec<_>>(),
        })),
        Body::Presentity(presentity) => with(json!({
            "kind": "msrtc", "entity": presentity.uri, "display_name": presentity.display_name,
            "basic": presentity.availability.map(|availability| if availability >= 300 { "open" } else { "closed" }),
            "activities": presentity.activity_word().map(|word| vec![word]),
        })),
        Body::Batch(batch) => with(json!({
            "kind": "batch-subscription", "entity": batch.uri, "categories": batch.categories,
            "resources": batch.contacts.iter().map(|contact| json!({"uri": contact.uri})).collect::<Vec<_>>(),
        })),
        Body::SetContainerMembers(set) => with(json!({
            "kind": "set-container-members",
            "containers": set.containers.iter().map(|(id, version, changes)| json!({
                "id": id, "version": version,
                "members": changes.iter().map(|change| json!({
                    "action": if change.joins { "add" } else { "remove" },
                    "type": change.member.kind.token(), "value": change.member.value,
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })),
        _ => refused("a body that this program does not show", &Value::Null),
    }
}

fn presence(kind: &str, document: &Presence<'_>) -> Value {
    let mut line = with(json!({"kind": kind, "entity": document.entity}));
    fill(&mut line, document);
    line
}

/// What a presence document says.
fn fill(line: &mut Value, document: &Presence<'_>) {
    let person = document.person();
    let activities: Vec<&Activity<'_>> =
        person.into_iter().flat_map(|person| &person.activities).flat_map(|list| &list.activities).collect();
    let old = document.tuples.iter().flat_map(|tuple| &tuple.status.old_activities);
    let names: Vec<&str> =
        activities.iter().map(|activity| activity.token()).chain(old.map(AsRef::as_ref)).collect();
    let other = activities.iter().find_map(|activity| match activity {
        Activity::Other(note) => Some(&note.text),
        _ => None,
    });
    let tuple_notes = document.tuples.iter().flat_map(|tuple| &tuple.notes);
    let person_notes = document.persons.iter().flat_map(|person| &person.notes);
    let device_notes = document.devices.iter().flat_map(|device| &device.notes);
    let notes = tuple_notes.chain(&document.notes).chain(person_notes).chain(device_notes);
    let priorities = document.tuples.iter().filter_map(|tuple| tuple.contact.as_ref()?.priority);
    let user_input = document
        .tuples
        .iter()
        .find_map(|tuple| tuple.user_input.as_ref())
        .or_else(|| person.and_then(|person| person.user_input.as_ref()))
        .or_else(|| document.devices.iter().find_map(|device| device.user_input.as_ref()));
    let first = document.tuples.iter().find_map(|tuple| tuple.timestamp);
    let names_of = [
        document.caller.as_ref(),
        person.and_then(|person| person.caller.as_ref()),
        document.tuples.iter().find_map(|tuple| tuple.caller.as_ref()),
    ];
    line["tuples"] = json!(document.tuples.len());
    line["basic"] = json!(document.basic().map(Basic::token));
    line["activities"] = json!(names);
    line["other"] = json!(other);
    line["notes"] = json!(notes.map(|note| &note.text).collect::<Vec<_>>());
    line["priorities"] = json!(priorities.map(thousandths).collect::<Vec<_>>());
    line["user_input"] = json!(user_input.map(|input| input.state.token()));
    line["idle_threshold"] = json!(user_input.and_then(|input| input.idle_threshold));
    line["last_input"] = json!(user_input.and_then(|input| input.last_input).map(|date| date.to_string()));
    let stamp = first.or_else(|| person.and_then(|person| person.timestamp));
    line["timestamp"] = json!(stamp.map(|date| date.to_string()));
    line["person"] = json!(person.map(|person| json!({
        "id": person.id, "timestamp": person.timestamp.map(|date| date.to_string()),
        "notes": person.notes.iter().map(|note| &note.text).collect::<Vec<_>>(),
    })));
    line["devices"] = json!(document.devices.iter().map(|device| &device.device_id).collect::<Vec<_>>());
    line["display_name"] =
        json!(names_of.into_iter().flatten().find_map(|caller| caller.display_name.as_ref()));
}

fn thousandths(priority: Priority) -> f64 {
    f64::from(priority.thousandths()) / 1000.0
}

fn list(resources: &presence_pidf::rlmi::ResourceList) -> Value {
    with(json!({
        "kind": "rlmi", "entity": resources.uri, "version": resources.version, "full_state": resources.full_state,
        "resources": resources.resources.iter().map(|resource| json!({
            "uri": resource.uri,
            "instances": resource.instances.iter().map(|instance| json!({
                "id": instance.id, "state": instance.state.token(), "cid": instance.content_id, "pool": instance.pool,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    }))
}

fn watched(categories: &EventCategories<'_>) -> Vec<Value> {
    let show = |category: &presence_pidf::category::WatchedCategory<'_>| {
        let mut shown = content(&category.content);
        shown["name"] = json!(category.name);
        shown["instance"] = json!(category.instance);
        shown["publish_time"] = json!(category.publish_time.map(|date| date.to_string()));
        shown["uri"] = json!(categories.uri);
        shown
    };
    categories.categories.iter().map(show).collect()
}

fn category(category: &CategoryInstance<'_>) -> Value {
    let mut shown = content(&category.content);
    shown["name"] = json!(category.name);
    shown["instance"] = json!(category.instance);
    shown["container"] = json!(category.container);
    shown["version"] = json!(category.version);
    shown["expire_type"] = json!(category.expire_type.token());
    shown["expires"] = json!(category.expires);
    shown["publish_time"] = json!(category.publish_time.map(|date| date.to_string()));
    shown
}

fn content(content: &Content<'_>) -> Value {
    let mut shown = json!({
        "name": null, "instance": null, "container": null, "version": null, "expire_type": null, "expires": null,
        "publish_time": null, "kind": null, "manual": null, "availability": null, "activity": null, "activities": null,
        "last_active": null, "mwi": null, "note": null, "endpoint_id": null, "display_name": null, "device": null,
    });
    match content {
        Content::State(state) => {
            let fits = state
                .activity()
                .or_else(|| state.activities.first().filter(|_| state.availability.is_none()));
            let tokens: Vec<_> = state.activities.iter().map(|activity| &activity.token).collect();
            shown["kind"] = json!(state.kind.token());
            shown["manual"] = json!(state.manual);
            shown["availability"] = json!(state.availability);
            shown["activity"] = json!(fits.and_then(|activity| activity.token.as_ref()));
            shown["activities"] = json!(tokens);
            shown["last_active"] = json!(state.last_active.map(|date| date.to_string()));
            shown["device"] = json!(state.device);
        }
        Content::Device(device) => {
            shown["kind"] = json!("device");
            shown["endpoint_id"] = json!(device.endpoint_id);
        }
        Content::MessageWaiting(waiting) => {
            shown["kind"] = json!("mwi");
            shown["mwi"] = json!({"waiting": waiting.waiting, "new": waiting.unread, "old": waiting.read});
        }
        Content::Note(note) => {
            shown["kind"] = json!("note");
            shown["note"] = json!(note.bodies.first().map(|body| &body.text));
        }
        Content::ContactCard(card) => {
            shown["kind"] = json!("contactCard");
            shown["display_name"] = json!(card.display_name);
        }
        Content::Services(_) => shown["kind"] = json!("services"),
        Content::Routing(_) => shown["kind"] = json!("routing"),
        Content::Other(other) => shown["kind"] = json!(other.name()),
        _ => {}
    }
    shown
}

/// A body; never more of it than could be accepted.
fn octets(file: &str) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    if file == "-" {
        io::stdin().lock().take(OCTETS_MAX).read_to_end(&mut octets)?;
    } else {
        std::fs::File::open(file)?.take(OCTETS_MAX).read_to_end(&mut octets)?;
    }
    Ok(octets)
}

fn main() -> ExitCode {
    let options = Options::parse();
    let reading = if options.lenient { Reading::Lenient } else { Reading::Strict };
    let mut output = io::stdout().lock();
    for file in &options.files {
        let mut line = match octets(file) {
            Ok(octets) => inspect(options.content_type.as_deref(), reading, &octets),
            Err(error) => refused(&format!("{file}: {error}"), &Value::Null),
        };
        line["file"] = json!(file);
        if writeln!(output, "{line}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// One more than any body may have.
const OCTETS_MAX: u64 = 1024 * 1024 + 1;
