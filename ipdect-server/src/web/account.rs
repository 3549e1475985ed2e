//! The administrator's own password.

use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::session::{SESSION, Session, forged, set_cookie, unavailable};
use super::{Web, layout, login, password};

/// Shorter ones are refused.
const SHORTEST: usize = 12;
/// Longer ones are not hashed.
const LONGEST: usize = 1024;

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    form_key: String,
    current: String,
    new: String,
    again: String,
}

pub(super) async fn page(Extension(session): Extension<Session>) -> Html<String> {
    form(&session, None)
}

fn form(session: &Session, problem: Option<&str>) -> Html<String> {
    layout::page(
        "Password",
        Some(session),
        &html! {
            form.card.narrow method="post" action="/account" {
                h1 { "Password of " (session.administrator) }
                @if let Some(problem) = problem { p.bad role="alert" { (problem) } }
                input type="hidden" name="form_key" value=(session.token.form_key());
                label { "Current password" input name="current" type="password" autocomplete="current-password" required; }
                label { "New password, at least " (SHORTEST) " characters"
                    input name="new" type="password" autocomplete="new-password" minlength=(SHORTEST) required; }
                label { "New password again" input name="again" type="password" autocomplete="new-password" required; }
                button type="submit" { "Change" }
            }
        },
    )
}

pub(super) async fn change(
    State(web): State<Web>,
    Extension(session): Extension<Session>,
    Form(given): Form<PasswordForm>,
) -> Response {
    if !session.token.is_form_key(&given.form_key) {
        return forged();
    }
    let refuse = |problem| (StatusCode::UNPROCESSABLE_ENTITY, form(&session, Some(problem))).into_response();
    if given.new != given.again {
        return refuse("The new passwords differ.");
    }
    if given.new.chars().count() < SHORTEST || given.new.len() > LONGEST {
        return refuse("The new password is too short or too long.");
    }
    let name = session.administrator.clone();
    let hash = match web.store.ask(move |store| store.password_hash(&name)).await {
        Ok(Ok(hash)) => hash,
        Ok(Err(error)) => return unavailable(&error.to_string()),
        Err(stopped) => return unavailable(&stopped.to_string()),
    };
    if !login::fits(&web, given.current, hash).await {
        return refuse("The current password is wrong.");
    }
    let new = given.new;
    let hashed = tokio::task::spawn_blocking(move || password::hash(&new)).await;
    let Ok(Ok(hash)) = hashed else { return unavailable("a password could not be hashed") };
    let name = session.administrator.clone();
    match web.store.ask(move |store| store.put_administrator(&name, &hash)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return unavailable(&error.to_string()),
        Err(stopped) => return unavailable(&stopped.to_string()),
    }
    tracing::info!("web page: {:?} changed the password, all sessions ended", session.administrator);
    ([(SET_COOKIE, set_cookie(SESSION, None, web.secure))], Redirect::to("/login")).into_response()
}
