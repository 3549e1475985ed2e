//! The status page: handsets, calls, base stations, proxies, channels.

use axum::extract::{Extension, Query, State};
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::commands::WINDOW_SECONDS;
use super::layout::{page as frame, span};
use super::session::{Session, unavailable};
use super::{Access, Web};
use crate::core::status::{BaseStationStatus, CallStatus, HandsetStatus, ProxyStatus, Status};

/// So many handsets are listed; more are found by the search.
const LISTED: usize = 500;

#[derive(Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

pub(super) async fn page(
    State(web): State<Web>,
    session: Option<Extension<Session>>,
    Query(search): Query<Search>,
) -> Response {
    let session = session.map(|Extension(session)| session);
    match web.node.status().await {
        Ok(status) => {
            let content = html! {
                @if web.access == Access::ReadOnly {
                    p.hint { "Demonstration: everything runs on this machine, nothing can be changed here." }
                }
                form.search method="get" action="/" {
                    input name="q" type="search" value=(search.q) placeholder="Handset, name or number" aria-label="Search";
                    button.quiet type="submit" { "Search" }
                }
                noscript { p.hint { a href="/" { "Load again" } " for the newest state." } }
                div #live data-source={ "/live?q=" (encoded(&search.q)) } {
                    (live_part(&status, session.as_ref(), &search.q))
                }
            };
            frame(&status.node, session.as_ref(), &content).into_response()
        }
        Err(stopped) => unavailable(&stopped.to_string()),
    }
}

/// The part that changes, for the script.
pub(super) async fn live(
    State(web): State<Web>,
    session: Option<Extension<Session>>,
    Query(search): Query<Search>,
) -> Response {
    let session = session.map(|Extension(session)| session);
    match web.node.status().await {
        Ok(status) => Html(live_part(&status, session.as_ref(), &search.q).into_string()).into_response(),
        Err(stopped) => unavailable(&stopped.to_string()),
    }
}

fn live_part(status: &Status, session: Option<&Session>, search: &str) -> Markup {
    let registered = status.handsets.iter().filter(|handset| handset.registered).count();
    let connected = status.base_stations.iter().filter(|base| base.state == "connected").count();
    html! {
        section.tiles {
            (tile("Handsets registered", &format!("{registered} of {}", status.handsets.len())))
            (tile("Calls", &status.calls.len().to_string()))
            (tile("Voice channels in use", &format!("{} of {}", status.channels.in_use, status.channels.total)))
            (tile("Base stations", &format!("{connected} of {}", status.base_stations.len())))
            (tile("Running for", &span(status.uptime_ms)))
        }
        (calls(&status.calls, session))
        (handsets(status, session, search))
        (base_stations(&status.base_stations))
        (proxies(&status.proxies))
    }
}

fn tile(name: &str, value: &str) -> Markup {
    html! { div.tile { span { (name) } strong { (value) } } }
}

fn calls(calls: &[CallStatus], session: Option<&Session>) -> Markup {
    html! {
        section.card {
            h2 { "Calls" }
            @if calls.is_empty() { p.hint { "Nobody talks." } } @else {
                table {
                    thead { tr {
                        th { "Handset" } th { "Direction" } th { "Other party" } th { "State" } th { "For" } th { "Codec" } th { "Encryption" }
                        @if session.is_some() { th {} }
                    } }
                    tbody { @for call in calls { tr {
                        td { (call.handset) }
                        td { (if call.direction == "handset-to-lync" { "to Lync" } else { "from Lync" }) }
                        td { (call.peer) }
                        td { (badge(&call.state, if call.state == "connected" { "good" } else { "busy" })) }
                        td { (span(call.since_ms)) }
                        td { (call.codec) }
                        td { (call.srtp.as_deref().unwrap_or("none")) }
                        @if let Some(session) = session { td { (button(session, "/calls/end", &[("id", &call.id.to_string())], "End")) } }
                    } } }
                }
            }
        }
    }
}

fn handsets(status: &Status, session: Option<&Session>, search: &str) -> Markup {
    let wanted = search.trim().to_lowercase();
    let fits = |handset: &&HandsetStatus| {
        wanted.is_empty()
            || [&handset.ipei, &handset.username, &handset.display_name]
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
    };
    let found = status.handsets.iter().filter(fits).count();
    html! {
        section.card {
            h2 { "Handsets" }
            p.hint {
                "Subscription: " (status.subscription) ". "
                @if let Some(session) = session {
                    (button(session, "/subscription/open", &[], &format!("Open for {WINDOW_SECONDS} s")))
                    (button(session, "/subscription/close", &[], "Close"))
                }
            }
            @if found == 0 { p.hint { "None." } } @else {
                table {
                    thead { tr {
                        th { "User" } th { "IPEI" } th { "State" } th { "Presence" } th { "Base station" } th { "Last heard" } th { "What is wrong" }
                        @if session.is_some() { th {} }
                    } }
                    tbody { @for handset in status.handsets.iter().filter(fits).take(LISTED) { tr {
                        td { (name_of(handset)) }
                        td.number { (handset.ipei) }
                        td { (badge(&handset.state, handset_colour(handset))) }
                        td {
                            (handset.presence)
                            @if !handset.user_presence.is_empty() && handset.user_presence != handset.presence { " " span.hint { "user: " (handset.user_presence) } }
                        }
                        td { (handset.base.as_deref().unwrap_or("")) }
                        td { @if let Some(ms) = handset.last_seen_ms { (span(ms)) " ago" } }
                        td.bad { (handset.detail) }
                        @if let Some(session) = session { td {
                            @if handset.subscribed { (button(session, "/handsets/remove", &[("ipei", &handset.ipei)], "Unsubscribe")) }
                        } }
                    } } }
                }
                @if found > LISTED { p.hint { "The first " (LISTED) " of " (found) ". Search for the others." } }
            }
        }
    }
}

fn name_of(handset: &HandsetStatus) -> Markup {
    html! {
        @if handset.display_name.is_empty() { (handset.username) } @else {
            (handset.display_name) " " span.hint { (handset.username) }
        }
    }
}

fn handset_colour(handset: &HandsetStatus) -> &'static str {
    match handset.state.as_str() {
        "registered" => "good",
        "in a call" => "busy",
        "failed" => "bad",
        _ => "idle",
    }
}

fn base_stations(bases: &[BaseStationStatus]) -> Markup {
    html! {
        section.card {
            h2 { "Base stations" }
            @if bases.is_empty() { p.hint { "None has connected yet." } } @else {
                table {
                    thead { tr { th { "Name" } th { "RPN" } th { "Software" } th { "State" } th { "Channels free" } th { "What is wrong" } } }
                    tbody { @for base in bases { tr {
                        td { (base.name) }
                        td.number { (base.rpn) }
                        td { (base.software) }
                        td { (badge(&base.state, if base.state == "connected" { "good" } else { "bad" })) }
                        td.number { (base.free) " of " (base.channels) }
                        td.bad { (base.detail) }
                    } } }
                }
            }
        }
    }
}

fn proxies(proxies: &[ProxyStatus]) -> Markup {
    html! {
        section.card {
            h2 { "Proxies" }
            table {
                thead { tr { th { "URI" } th { "State" } th { "Detail" } } }
                tbody { @for proxy in proxies { tr {
                    td { (proxy.uri) }
                    td { (badge(&proxy.state, match proxy.state.as_str() { "connected" => "good", "failed" => "bad", _ => "idle" })) }
                    td { (proxy.detail) }
                } } }
            }
        }
    }
}

fn badge(text: &str, colour: &str) -> Markup {
    html! { span.badge.(colour) { (text) } }
}

fn button(session: &Session, action: &str, fields: &[(&str, &str)], label: &str) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            input type="hidden" name="form_key" value=(session.token.form_key());
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button.quiet type="submit" { (label) }
        }
    }
}

/// Percent-encodes for a query.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
