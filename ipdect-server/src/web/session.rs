//! Who is asking.

use std::time::SystemTime;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{COOKIE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::listener::Peer;
use super::token::Token;
use super::{Web, layout};

/// The cookie of a session.
pub(super) const SESSION: &str = "ipdect_session";

/// The administrator who is logged in.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) administrator: String,
    pub(super) token: Token,
}

/// Lets administrators through; sends others to the log-in.
pub(super) async fn require(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let token = cookie(request.headers(), SESSION).and_then(Token::from_cookie);
    if let Some(token) = token {
        let hash = token.hash();
        match web.store.ask(move |store| store.session(&hash, SystemTime::now())).await {
            Ok(Ok(Some(row))) => {
                request.extensions_mut().insert(Session { administrator: row.administrator, token });
                return next.run(request).await;
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => return unavailable(&error.to_string()),
            Err(stopped) => return unavailable(&stopped.to_string()),
        }
    }
    let path = request.uri().path();
    if path.starts_with("/api/") || path == "/live" {
        (StatusCode::UNAUTHORIZED, "log in first").into_response()
    } else {
        Redirect::to("/login").into_response()
    }
}

/// Lets this machine's own browsers through: the address is loopback, and so is the name they call us by.
pub(super) async fn local_only(
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.strip_prefix('[').map_or_else(
        || host.split(':').next().unwrap_or_default(),
        |rest| rest.split(']').next().unwrap_or_default(),
    );
    let local = name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    if peer.address().ip().is_loopback() && local {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this page is for the machine it runs on").into_response()
    }
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The line that sets a cookie; without a value it removes it.
pub(super) fn set_cookie(name: &str, value: Option<&str>, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    match value {
        Some(value) => format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}"),
        None => format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{secure}"),
    }
}

pub(super) fn unavailable(reason: &str) -> Response {
    tracing::error!("web page: {reason}");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        layout::message("Not now", "The server cannot answer now. The log says why."),
    )
        .into_response()
}

/// A form that was not made for this session.
pub(super) fn forged() -> Response {
    (
        StatusCode::FORBIDDEN,
        layout::message("Refused", "This form is too old. Go back, load the page again and repeat."),
    )
        .into_response()
}
