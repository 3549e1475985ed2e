//! The call log.

use std::time::SystemTime;

use axum::extract::{Extension, Query, State};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde::Deserialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::Web;
use super::layout::{page as frame, span};
use super::session::{Session, unavailable};

/// So many calls are shown.
const SHOWN: u32 = 200;

#[derive(Default, Deserialize)]
pub(super) struct Search {
    /// IPEI of one handset.
    ipei: Option<String>,
}

pub(super) async fn page(
    State(web): State<Web>,
    Extension(session): Extension<Session>,
    Query(search): Query<Search>,
) -> Response {
    let calls = match web.store.ask(move |store| store.calls(search.ipei.as_deref(), SHOWN)).await {
        Ok(Ok(calls)) => calls,
        Ok(Err(error)) => return unavailable(&error.to_string()),
        Err(stopped) => return unavailable(&stopped.to_string()),
    };
    let content = html! {
        section.card {
            h2 { "Call log" }
            @if calls.is_empty() { p.hint { "No call has ended yet." } } @else {
                table {
                    thead { tr { th { "Began (UTC)" } th { "Handset" } th { "Direction" } th { "Other party" } th { "Outcome" } th { "Talked" } th { "Cause" } th { "Encryption" } } }
                    tbody { @for call in &calls { tr {
                        td.number { (date(call.started)) }
                        td.number { a href={ "/log?ipei=" (call.ipei.replace(' ', "%20")) } { (call.ipei) } }
                        td { (if call.direction == "handset-to-lync" { "to Lync" } else { "from Lync" }) }
                        td { (call.peer_name) " " span.hint { (call.peer) } }
                        td { (call.outcome) }
                        td { @if let Some(answered) = call.answered { (span(call.ended.duration_since(answered).unwrap_or_default().as_millis() as u64)) } }
                        td { (call.cause) }
                        td { (call.srtp.as_deref().unwrap_or("none")) }
                    } } }
                }
            }
        }
    };
    frame("Call log", Some(&session), &content).into_response()
}

fn date(at: SystemTime) -> String {
    OffsetDateTime::from(at)
        .format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]"))
        .unwrap_or_default()
}
