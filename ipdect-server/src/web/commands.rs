//! Commands of the administrator.

use axum::extract::{Extension, Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Web;
use super::session::{Session, forged, unavailable};
use crate::core::vocabulary::Command;

/// How long the subscription window stays open.
pub(super) const WINDOW_SECONDS: u32 = 120;

#[derive(Deserialize)]
pub(super) struct CallForm {
    form_key: String,
    id: u32,
}

#[derive(Deserialize)]
pub(super) struct HandsetForm {
    form_key: String,
    ipei: String,
}

#[derive(Deserialize)]
pub(super) struct PlainForm {
    form_key: String,
}

pub(super) async fn end_call(
    web: State<Web>,
    session: Extension<Session>,
    Form(given): Form<CallForm>,
) -> Response {
    perform(&web, &session, &given.form_key, Command::EndCall { id: given.id }).await
}

pub(super) async fn remove_subscription(
    web: State<Web>,
    session: Extension<Session>,
    Form(given): Form<HandsetForm>,
) -> Response {
    perform(&web, &session, &given.form_key, Command::RemoveSubscription { ipei: given.ipei }).await
}

pub(super) async fn open_subscription(
    web: State<Web>,
    session: Extension<Session>,
    Form(given): Form<PlainForm>,
) -> Response {
    perform(&web, &session, &given.form_key, Command::OpenSubscription { seconds: WINDOW_SECONDS }).await
}

pub(super) async fn close_subscription(
    web: State<Web>,
    session: Extension<Session>,
    Form(given): Form<PlainForm>,
) -> Response {
    perform(&web, &session, &given.form_key, Command::CloseSubscription).await
}

async fn perform(web: &Web, session: &Session, form_key: &str, command: Command) -> Response {
    if !session.token.is_form_key(form_key) {
        return forged();
    }
    tracing::info!("web page: {:?} commands {command:?}", session.administrator);
    match web.node.command(command).await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(stopped) => unavailable(&stopped.to_string()),
    }
}
