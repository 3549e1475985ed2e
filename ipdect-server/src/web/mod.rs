//! The web page: who is registered, who talks, what is wrong, and a few commands.
//!
//! Pages are made on the server and work without scripts; a small script of our own refreshes the live part.

mod account;
mod commands;
mod headers;
mod layout;
mod listener;
mod log_page;
mod login;
pub mod password;
mod session;
mod status_page;
mod throttle;
mod token;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::control::NodeHandle;
use crate::store::StoreHandle;

pub use listener::{Peer, WebTls};

/// Who may see the web page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Administrators, after a log-in.
    Login,
    /// Everybody on this machine, and nothing can be changed: for demonstrations.
    ReadOnly,
}

/// What the pages need.
#[derive(Clone, Debug)]
pub struct Web {
    node: NodeHandle,
    store: StoreHandle,
    access: Access,
    /// Whether the pages come over TLS, so that cookies must not go elsewhere.
    secure: bool,
    throttle: Arc<Mutex<throttle::Throttle>>,
    /// Hashing a password takes memory: a few at a time.
    hashing: Arc<Semaphore>,
}

impl Web {
    /// Pages about this node and its store.
    pub fn new(node: NodeHandle, store: StoreHandle, access: Access, secure: bool) -> Self {
        Self { node, store, access, secure, throttle: Arc::default(), hashing: Arc::new(Semaphore::new(2)) }
    }

    /// All pages.
    pub fn router(self) -> Router {
        let read = Router::new()
            .route("/", get(status_page::page))
            .route("/live", get(status_page::live))
            .route("/api/status", get(api_status));
        let pages = match self.access {
            Access::ReadOnly => read.layer(from_fn(session::local_only)),
            Access::Login => read
                .route("/log", get(log_page::page))
                .route("/account", get(account::page).post(account::change))
                .route("/logout", post(login::logout))
                .route("/calls/end", post(commands::end_call))
                .route("/handsets/remove", post(commands::remove_subscription))
                .route("/subscription/open", post(commands::open_subscription))
                .route("/subscription/close", post(commands::close_subscription))
                .layer(from_fn_with_state(self.clone(), session::require))
                .route("/login", get(login::page).post(login::login)),
        };
        pages
            .route("/style.css", get(style))
            .route("/live.js", get(script))
            .fallback(not_found)
            .layer(DefaultBodyLimit::max(16 * 1024))
            .layer(from_fn(headers::secure))
            .with_state(self)
    }

    /// Serves the pages until `stop` says so.
    pub async fn serve(
        self,
        listener: TcpListener,
        tls: Option<WebTls>,
        mut stop: watch::Receiver<bool>,
    ) -> std::io::Result<()> {
        let listener = listener::WebListener::new(listener, tls)?;
        let service = self.router().into_make_service_with_connect_info::<Peer>();
        axum::serve(listener, service)
            .with_graceful_shutdown(async move {
                // An error means that the one who could stop us is gone: that stops us too.
                let _ = stop.wait_for(|stop| *stop).await;
            })
            .await
    }
}

async fn api_status(State(web): State<Web>) -> Response {
    match web.node.status().await {
        Ok(status) => Json(status).into_response(),
        Err(stopped) => (StatusCode::SERVICE_UNAVAILABLE, stopped.to_string()).into_response(),
    }
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/style.css"))
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/live.js"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=300")], text).into_response()
}

async fn not_found() -> Response {
    let page = layout::message("Not found", "There is no such page.");
    (StatusCode::NOT_FOUND, page).into_response()
}

impl Peer {
    /// The peer's address.
    pub fn address(self) -> SocketAddr {
        self.0
    }
}
