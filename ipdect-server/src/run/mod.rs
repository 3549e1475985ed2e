//! The server put together: sockets, store, voice and web page around one owner of the node.

mod owner;
mod reload;
mod signals;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::{Configuration, Transport};
use crate::control::{Control, NodeHandle, Stopped};
use crate::core::node::{Node, Seed};
use crate::core::status::Status;
use crate::core::vocabulary::{Command, LadderStep};
use crate::media::worker::Workers;
use crate::net::arrival::{ARRIVALS, Arrival};
use crate::net::listener::{Door, accept, open};
use crate::net::tls::TlsContext;
use crate::random;
use crate::store::{Store, StoreHandle};
use crate::web::{Access, Web};

pub use owner::Ending;
pub use reload::{Reloaded, needs_restart};
pub use signals::{Signals, Wanted};

/// How many reports of the media workers may wait.
const REPORTS: usize = 4096;
/// How long browsers may finish what they read when the server stops.
const WEB_PATIENCE: Duration = Duration::from_secs(2);
/// How long the store may take to keep what was written last.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// The configuration; ports may be 0, then [`Addresses`] says which were given.
    pub configuration: Configuration,
    /// Its file, which is watched for changes.
    pub configuration_file: Option<PathBuf>,
    /// Who may see the web page.
    pub access: Access,
    /// Where the arrows of the message ladder go.
    pub ladder: Option<mpsc::Sender<LadderStep>>,
}

/// One clear line about why the server does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartFailure(String);

impl StartFailure {
    fn because(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Where the server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// For front ends.
    pub sip: SocketAddr,
    /// For base stations.
    pub radio: SocketAddr,
    /// For browsers.
    pub web: SocketAddr,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    addresses: Addresses,
    node: NodeHandle,
    reload: Arc<Notify>,
    owner: JoinHandle<Ending>,
    web: JoinHandle<std::io::Result<()>>,
    stop_web: watch::Sender<bool>,
    store: StoreHandle,
}

impl Server {
    /// Starts everything, or says in one line what is missing.
    pub async fn start(options: Options) -> Result<Self, StartFailure> {
        let Options { mut configuration, configuration_file, access, ladder } = options;
        let tls = TlsContext::load(&configuration).map_err(StartFailure::because)?;
        let store = Store::open(&configuration.store.url).map_err(StartFailure::because)?;
        let restored = store.restored().map_err(StartFailure::because)?;
        if access == Access::Login && !store.has_administrator().map_err(StartFailure::because)? {
            tracing::warn!("the store has no administrator: nobody can log in to the web page");
        }
        if configuration.radio.base_stations.is_empty() && !configuration.radio.listen.ip().is_loopback() {
            tracing::warn!(
                "radio.base_stations is empty: any base station that reaches {} is taken",
                configuration.radio.listen
            );
        }
        let (sip, sip_address) = door(configuration.sip.listen, "sip.listen").await?;
        let (radio, radio_address) = door(configuration.radio.listen, "radio.listen").await?;
        let (page, web_address) = door(configuration.web.listen, "web.listen").await?;
        configuration.sip.listen = sip_address;
        configuration.radio.listen = radio_address;
        configuration.web.listen = web_address;
        let configuration = Arc::new(configuration);

        let (reports, reported) = mpsc::channel(REPORTS);
        let workers = Workers::start(
            configuration.media.address,
            configuration.media.address,
            configuration.media.voice_channels,
            available_parallelism().map_or(1, NonZeroUsize::get),
            move |event| {
                if reports.try_send(event).is_err() {
                    tracing::warn!("the server is so busy that a report about a call's voice was lost");
                }
            },
        )
        .map_err(StartFailure::because)?;
        let channels = workers.channels().to_vec();
        let seed = Seed(random::octets());
        let mut node =
            Node::new(Instant::now(), SystemTime::now(), &configuration, &restored, channels, seed)
                .map_err(StartFailure::because)?;
        node.trace(ladder.is_some());

        let (store, _thread) = StoreHandle::start(store).map_err(StartFailure::because)?;
        let (handle, controls) = NodeHandle::new();
        let (arrivals, arriving) = mpsc::channel(ARRIVALS);
        let door_tls = DoorTls::new(&configuration, tls.as_ref());
        tokio::spawn(accept(Door::Sip, sip, door_tls.sip.subscribe(), arrivals.clone()));
        tokio::spawn(accept(Door::Radio, radio, door_tls.radio.subscribe(), arrivals.clone()));
        let web = Web::new(handle.clone(), store.clone(), access, configuration.web.tls);
        let (stop_web, stopped) = watch::channel(false);
        let web_tls = configuration.web.tls.then(|| door_tls.web.subscribe());
        let web = tokio::spawn(web.serve(page, web_tls, stopped));
        let reload = Arc::new(Notify::new());
        if let Some(file) = configuration_file {
            tokio::spawn(reload::watch(file, configuration.clone(), reload.clone(), handle.clone()));
        }
        let owner =
            owner::Owner::new(node, configuration, tls, door_tls, arrivals, store.clone(), workers, ladder);
        let owner = tokio::spawn(owner.run(arriving, reported, controls));
        let addresses = Addresses { sip: sip_address, radio: radio_address, web: web_address };
        Ok(Self { addresses, node: handle, reload, owner, web, stop_web, store })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// A snapshot.
    pub async fn status(&self) -> Result<Status, Stopped> {
        self.node.status().await
    }

    /// A command of the administrator.
    pub async fn command(&self, command: Command) -> Result<(), Stopped> {
        self.node.command(command).await
    }

    /// Reads configuration and certificates again, some time soon.
    pub fn reload(&self) {
        self.reload.notify_one();
    }

    /// Ends calls and registrations, closes everything and keeps what is to be kept.
    pub async fn stop(self) -> Ending {
        // If the owner is gone already its ending says so.
        let _ = self.node.send(Control::Shutdown).await;
        let ending = self.owner.await.unwrap_or(Ending::Broken);
        let _ = self.stop_web.send(true);
        let mut web = self.web;
        if timeout(WEB_PATIENCE, &mut web).await.is_err() {
            web.abort();
        }
        if !matches!(timeout(STORE_PATIENCE, self.store.ask(|_| ())).await, Ok(Ok(()))) {
            tracing::error!("the store did not keep everything in time");
        }
        ending
    }
}

/// TLS of the three ports; changed when certificates are read again.
#[derive(Debug)]
struct DoorTls {
    sip: watch::Sender<Option<Arc<rustls::ServerConfig>>>,
    radio: watch::Sender<Option<Arc<rustls::ServerConfig>>>,
    web: watch::Sender<Option<Arc<rustls::ServerConfig>>>,
}

impl DoorTls {
    fn new(configuration: &Configuration, tls: Option<&TlsContext>) -> Self {
        let front_ends = tls.map(|tls| tls.from_front_ends.clone());
        let anybody = tls.map(|tls| tls.from_anybody.clone());
        let base_stations = tls.map(|tls| tls.from_base_stations.clone());
        let when = |transport, config: &Option<Arc<_>>| match transport {
            Transport::Tls => config.clone(),
            Transport::Tcp => None,
        };
        Self {
            sip: watch::Sender::new(when(configuration.sip.transport, &front_ends)),
            radio: watch::Sender::new(when(configuration.radio.transport, &base_stations)),
            web: watch::Sender::new(anybody),
        }
    }

    fn change(&self, configuration: &Configuration, tls: &TlsContext) {
        let Self { sip, radio, web } = Self::new(configuration, Some(tls));
        self.sip.send_replace(sip.borrow().clone());
        self.radio.send_replace(radio.borrow().clone());
        self.web.send_replace(web.borrow().clone());
    }
}

async fn door(address: SocketAddr, key: &str) -> Result<(TcpListener, SocketAddr), StartFailure> {
    let listener = open(address, key).await.map_err(StartFailure)?;
    let local = listener.local_addr().map_err(StartFailure::because)?;
    Ok((listener, local))
}

/// The sending end that tasks around the sockets use.
type Arrivals = mpsc::Sender<Arrival>;
