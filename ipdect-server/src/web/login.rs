//! Log-in and log-out.

use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{ConnectInfo, Extension, Form, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::listener::Peer;
use super::session::{SESSION, Session, cookie, forged, set_cookie, unavailable};
use super::token::Token;
use super::{Web, layout, password};
use crate::store::SessionRow;

/// How long a session lasts.
const LASTS: Duration = Duration::from_hours(12);
/// The cookie that binds the log-in form to the browser.
const BEFORE: &str = "ipdect_login";

#[derive(Deserialize)]
pub(super) struct LoginForm {
    name: String,
    password: String,
    form_key: String,
}

#[derive(Deserialize)]
pub(super) struct LogoutForm {
    form_key: String,
}

pub(super) async fn page(State(web): State<Web>, headers: HeaderMap) -> Response {
    form(&web, &headers, StatusCode::OK, None)
}

fn form(web: &Web, headers: &HeaderMap, status: StatusCode, problem: Option<&str>) -> Response {
    let token = cookie(headers, BEFORE).and_then(Token::from_cookie).unwrap_or_else(Token::new);
    let page = layout::page(
        "Log in",
        None,
        &html! {
            form.card.narrow method="post" action="/login" {
                h1 { "Log in" }
                @if let Some(problem) = problem { p.bad role="alert" { (problem) } }
                input type="hidden" name="form_key" value=(token.form_key());
                label { "Name" input name="name" autocomplete="username" required autofocus; }
                label { "Password" input name="password" type="password" autocomplete="current-password" required; }
                button type="submit" { "Log in" }
            }
        },
    );
    (status, [(SET_COOKIE, set_cookie(BEFORE, Some(token.text()), web.secure))], page).into_response()
}

pub(super) async fn login(
    State(web): State<Web>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    Form(given): Form<LoginForm>,
) -> Response {
    let bound = cookie(&headers, BEFORE).and_then(Token::from_cookie);
    if !bound.is_some_and(|token| token.is_form_key(&given.form_key)) {
        return form(&web, &headers, StatusCode::FORBIDDEN, Some("The form was too old. Please try again."));
    }
    let address = peer.address().ip();
    let wait = {
        let mut throttle = web.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = throttle.wait(Instant::now(), address);
        if wait.is_none() {
            // Every try counts as wrong until it proves right, so that many at once gain nothing.
            throttle.wrong(Instant::now(), address);
        }
        wait
    };
    if let Some(wait) = wait {
        let problem = format!("Too many wrong passwords. Try again in {} s.", wait.as_secs() + 1);
        return form(&web, &headers, StatusCode::TOO_MANY_REQUESTS, Some(&problem));
    }
    let name = given.name.clone();
    let hash = match web.store.ask(move |store| store.password_hash(&name)).await {
        Ok(Ok(hash)) => hash,
        Ok(Err(error)) => return unavailable(&error.to_string()),
        Err(stopped) => return unavailable(&stopped.to_string()),
    };
    if !fits(&web, given.password, hash).await {
        tracing::warn!("web page: wrong name or password from {address}");
        return form(&web, &headers, StatusCode::UNAUTHORIZED, Some("Name or password is wrong."));
    }
    web.throttle.lock().unwrap_or_else(PoisonError::into_inner).right(address);
    tracing::info!("web page: {:?} logged in from {address}", given.name);
    let token = Token::new();
    let now = SystemTime::now();
    let row = SessionRow { token: token.hash(), administrator: given.name, expires: now + LASTS };
    match web.store.ask(move |store| store.put_session(&row, now)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return unavailable(&error.to_string()),
        Err(stopped) => return unavailable(&stopped.to_string()),
    }
    let cookies = AppendHeaders([
        (SET_COOKIE, set_cookie(SESSION, Some(token.text()), web.secure)),
        (SET_COOKIE, set_cookie(BEFORE, None, web.secure)),
    ]);
    (cookies, Redirect::to("/")).into_response()
}

/// Compares off the event loop, a few at a time.
pub(super) async fn fits(web: &Web, given: String, hash: Option<String>) -> bool {
    let Ok(_turn) = web.hashing.acquire().await else { return false };
    let compared = tokio::task::spawn_blocking(move || password::fits(&given, hash.as_deref()));
    compared.await.unwrap_or(false)
}

pub(super) async fn logout(
    State(web): State<Web>,
    Extension(session): Extension<Session>,
    Form(given): Form<LogoutForm>,
) -> Response {
    if !session.token.is_form_key(&given.form_key) {
        return forged();
    }
    let hash = session.token.hash();
    match web.store.ask(move |store| store.remove_session(&hash)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return unavailable(&error.to_string()),
        Err(stopped) => return unavailable(&stopped.to_string()),
    }
    ([(SET_COOKIE, set_cookie(SESSION, None, web.secure))], Redirect::to("/login")).into_response()
}
