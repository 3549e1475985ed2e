//! Connections over real sockets on loopback: bytes both ways, names, ends and refusals.

mod authority;

use std::net::SocketAddr;
use std::sync::Arc;

use authority::{Authority, Folder, Wanted};
use bytes::Bytes;
use ipdect_server::config::Tls;
use ipdect_server::core::vocabulary::FlowId;
use ipdect_server::net::arrival::{Arrival, Outgoing};
use ipdect_server::net::authorities::Authorities;
use ipdect_server::net::dial::{Target, dial};
use ipdect_server::net::identity::Identity;
use ipdect_server::net::listener::{Door, accept, open};
use ipdect_server::net::tls::TlsContext;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

fn context(folder: &Folder, authority: &Authority, name: &str, trusted: &str) -> TlsContext {
    let pair = authority.issue(&Wanted { alternative: &[name], ..Wanted::default() });
    let file = |ending: &str, text: &str| {
        let file = folder.file(&format!("{name}.{ending}"));
        std::fs::write(&file, text).unwrap();
        file
    };
    let tls = Tls {
        ca: vec![file("ca", &authority.pem())],
        public_roots: false,
        certificate: Some(file("pem", &pair.certificate)),
        key: Some(file("key", &pair.key)),
        password_file: None,
    };
    let identity = Identity::load(&tls).unwrap().unwrap();
    TlsContext::new(identity, Authorities::load(&tls).unwrap(), vec![trusted.to_owned()]).unwrap()
}

/// A door with what arrives at it.
async fn door(door: Door, tls: Option<&TlsContext>) -> (SocketAddr, mpsc::Receiver<Arrival>) {
    let listener = open("127.0.0.1:0".parse().unwrap(), "test").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (arrivals, arriving) = mpsc::channel(64);
    let (_, config) = watch::channel(tls.map(|tls| match door {
        Door::Sip => tls.from_front_ends.clone(),
        Door::Radio => tls.from_anybody.clone(),
    }));
    tokio::spawn(accept(door, listener, config, arrivals));
    (address, arriving)
}

fn dialled(host: &str, address: SocketAddr, tls: Option<&TlsContext>) -> (Outgoing, mpsc::Receiver<Arrival>) {
    let (outgoing, end) = Outgoing::new();
    let (arrivals, arriving) = mpsc::channel(64);
    let tls = tls.map(|tls| Arc::clone(&tls.towards_proxies));
    tokio::spawn(dial(
        FlowId(1),
        0,
        Target { host: host.to_owned(), port: address.port(), tls },
        end,
        arrivals,
    ));
    (outgoing, arriving)
}

async fn opened(
    arriving: &mut mpsc::Receiver<Arrival>,
) -> (FlowId, Option<usize>, Vec<String>, Option<Outgoing>) {
    match arriving.recv().await.unwrap() {
        Arrival::FlowOpened { flow, proxy, peer_names, outgoing, .. } => (flow, proxy, peer_names, outgoing),
        other => panic!("{other:?}"),
    }
}

async fn bytes(arriving: &mut mpsc::Receiver<Arrival>, count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < count {
        match arriving.recv().await.unwrap() {
            Arrival::FlowBytes { bytes, .. } | Arrival::LinkBytes { bytes, .. } => {
                all.extend_from_slice(&bytes);
            }
            other => panic!("{other:?}"),
        }
    }
    all
}

async fn closed(arriving: &mut mpsc::Receiver<Arrival>) -> String {
    match arriving.recv().await.unwrap() {
        Arrival::FlowClosed { reason, .. } | Arrival::LinkClosed { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn bytes_cross_a_mutual_tls_flow_both_ways_and_the_last_ones_arrive_before_the_end() {
    let (folder, authority) = (Folder::new("flows"), Authority::new("Root"));
    let ours = context(&folder, &authority, "dect.example.net", "localhost");
    let front_end = context(&folder, &authority, "localhost", "dect.example.net");
    let (address, mut there) = door(Door::Sip, Some(&front_end)).await;
    let (outgoing, mut here) = dialled("localhost", address, Some(&ours));
    let (flow, proxy, names, none) = opened(&mut here).await;
    assert_eq!(
        (flow, proxy, names, none.is_none()),
        (FlowId(1), Some(0), vec!["localhost".to_owned()], true)
    );
    let (flow, proxy, names, back) = opened(&mut there).await;
    assert_eq!((flow.0 >= FlowId::FIRST_ACCEPTED, proxy), (true, None));
    assert_eq!(names, ["dect.example.net"]);
    let back = back.unwrap();
    assert!(back.send(Bytes::from_static(b"from the front end")));
    assert_eq!(bytes(&mut here, 18).await, b"from the front end");
    let large = Bytes::from(vec![7; 300_000]);
    assert!(outgoing.send(large.clone()) && outgoing.send(Bytes::from_static(b"last")));
    drop(outgoing);
    let arrived = bytes(&mut there, 300_004).await;
    assert!(arrived.starts_with(&large) && arrived.ends_with(b"last"));
    assert_eq!(closed(&mut here).await, "we closed it");
    assert_eq!(closed(&mut there).await, "the other side closed the connection");
}

#[tokio::test]
async fn plain_tcp_has_no_names() {
    let (address, mut there) = door(Door::Sip, None).await;
    let (outgoing, mut here) = dialled("127.0.0.1", address, None);
    assert!(opened(&mut here).await.2.is_empty());
    let (_, _, names, _back) = opened(&mut there).await;
    assert!(names.is_empty());
    assert!(outgoing.send(Bytes::from_static(b"hello")));
    assert_eq!(bytes(&mut there, 5).await, b"hello");
}

#[tokio::test]
async fn a_peer_with_another_name_is_turned_away_with_the_reason() {
    let (folder, authority) = (Folder::new("flows"), Authority::new("Root"));
    let ours = context(&folder, &authority, "localhost", "pool.example.net");
    let stranger = context(&folder, &authority, "stranger.example.net", "pool.example.net");
    let (address, mut there) = door(Door::Sip, Some(&ours)).await;
    let (_outgoing, mut here) = dialled("localhost", address, Some(&stranger));
    match there.recv().await.unwrap() {
        Arrival::TurnedAway { door: "SIP", remote, reason } => {
            assert!(remote.ip().is_loopback());
            assert!(
                reason.contains("stranger.example.net") && reason.contains("lync.trusted_peers"),
                "{reason}"
            );
        }
        other => panic!("{other:?}"),
    }
    // In TLS 1.3 our side may stand before the refusal comes.
    let reason = match here.recv().await.unwrap() {
        Arrival::DialFailed { reason, .. } => reason,
        Arrival::FlowOpened { .. } => closed(&mut here).await,
        other => panic!("{other:?}"),
    };
    assert!(reason.contains("refuses our certificate"), "{reason}");
}

#[tokio::test]
async fn a_base_station_needs_no_certificate_of_its_own() {
    let (folder, authority) = (Folder::new("flows"), Authority::new("Root"));
    let ours = context(&folder, &authority, "localhost", "pool.example.net");
    let (address, mut there) = door(Door::Radio, Some(&ours)).await;
    let (outgoing, mut here) = dialled("localhost", address, Some(&ours));
    opened(&mut here).await;
    let Some(Arrival::LinkOpened { outgoing: back, .. }) = there.recv().await else { panic!("no link") };
    assert!(outgoing.send(Bytes::from_static(b"hello")) && back.send(Bytes::from_static(b"base")));
    assert_eq!(bytes(&mut there, 5).await, b"hello");
    assert_eq!(bytes(&mut here, 4).await, b"base");
    drop(back);
    assert_eq!(closed(&mut there).await, "we closed it");
}

#[tokio::test]
async fn dialling_says_why_it_failed() {
    let listener = open("127.0.0.1:0".parse().unwrap(), "test").await.unwrap();
    let address = listener.local_addr().unwrap();
    let busy = open(address, "sip.listen").await.unwrap_err();
    assert!(busy.starts_with("sip.listen 127.0.0.1:") && busy.contains("already in use"), "{busy}");
    drop(listener);
    for (host, words) in
        [("127.0.0.1", "nothing listens there"), ("no-such-host.invalid", "does not resolve")]
    {
        let (_outgoing, mut here) = dialled(host, address, None);
        match here.recv().await.unwrap() {
            Arrival::DialFailed { flow: FlowId(1), reason } => assert!(reason.contains(words), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_the_peer_still_sends_when_we_close_does_not_break_the_last_bytes() {
    let (address, mut there) = door(Door::Sip, None).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    let (_, _, _, outgoing) = opened(&mut there).await;
    let outgoing = outgoing.unwrap();
    assert!(outgoing.send(Bytes::from_static(b"last")));
    drop(outgoing);
    let mut received = Vec::new();
    peer.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"last");
    // More than the sockets' buffers hold: it goes out only if the other side still reads.
    peer.write_all(&vec![0; 8_000_000]).await.expect("the connection was closed over what we sent");
    drop(peer);
    while !matches!(there.recv().await, Some(Arrival::FlowClosed { .. })) {}
}
