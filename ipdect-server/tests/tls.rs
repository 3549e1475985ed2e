//! Handshakes between front ends and the server: who is let in, and in which words the others are told why not.

mod authority;

use std::sync::Arc;

use authority::{Authority, Folder, Pair, Wanted};
use ipdect_server::config::Tls;
use ipdect_server::net::authorities::Authorities;
use ipdect_server::net::identity::Identity;
use ipdect_server::net::tls::TlsContext;
use ipdect_server::net::words::io_error;
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning, ServerAuth};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const NAMES: &[&str] = &["pool.example.net", "fe1.example.net"];

fn context(folder: &Folder, who: &str, pair: &Pair, trusted: &Authority) -> TlsContext {
    let file = |ending: &str, text: &str| {
        let file = folder.file(&format!("{who}.{ending}"));
        std::fs::write(&file, text).unwrap();
        file
    };
    let tls = Tls {
        ca: vec![file("ca", &trusted.pem())],
        public_roots: false,
        certificate: Some(file("pem", &pair.certificate)),
        key: Some(file("key", &pair.key)),
        password_file: None,
    };
    let identity = Identity::load(&tls).unwrap().unwrap();
    let authorities = Authorities::load(&tls).unwrap();
    TlsContext::new(identity, authorities, NAMES.iter().map(ToString::to_string).collect()).unwrap()
}

/// Runs a handshake: what the dialling side says, what the accepting side says.
async fn handshake(
    dialling: &TlsContext,
    accepting: &TlsContext,
    name: &str,
) -> (Result<(), String>, Result<(), String>) {
    let (left, right) = tokio::io::duplex(64 * 1024);
    let connector = TlsConnector::from(Arc::clone(&dialling.towards_proxies));
    let acceptor = TlsAcceptor::from(Arc::clone(&accepting.from_front_ends));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let dial = async {
        let mut stream = connector.connect(name, left).await?;
        // In TLS 1.3 the refusal of our certificate comes after our side is done.
        stream.write_all(b"ping").await?;
        stream.flush().await?;
        let mut pong = [0; 4];
        stream.read_exact(&mut pong).await?;
        Ok::<_, std::io::Error>(())
    };
    let accept = async {
        let mut stream = acceptor.accept(right).await?;
        let mut ping = [0; 4];
        stream.read_exact(&mut ping).await?;
        stream.write_all(b"pong").await?;
        stream.flush().await?;
        Ok::<_, std::io::Error>(())
    };
    let (dialled, accepted) = tokio::join!(dial, accept);
    (dialled.map_err(|e| io_error(&e)), accepted.map_err(|e| io_error(&e)))
}

fn ours(authority: &Authority) -> Pair {
    authority.issue(&Wanted { alternative: &["dect.example.net"], ..Wanted::default() })
}

#[tokio::test]
async fn a_front_end_with_a_server_only_certificate_may_connect() {
    let (folder, authority) = (Folder::new("tls"), Authority::new("Root"));
    let server = context(&folder, "ours", &ours(&authority), &authority);
    for (index, (alternative, common, purposes)) in [
        (&["fe1.example.net"][..], "ignored", &[ServerAuth][..]),
        (&["other.example.net", "POOL.example.net"], "ignored", &[ServerAuth, ClientAuth]),
        (&[], "pool.example.net", &[ServerAuth]),
        (&["fe1.example.net"], "ignored", &[ClientAuth]),
        (&["fe1.example.net"], "ignored", &[]),
        (&["*.example.net"], "ignored", &[ServerAuth]),
    ]
    .into_iter()
    .enumerate()
    {
        let pair = authority.issue(&Wanted { alternative, common, purposes, ..Wanted::default() });
        let front_end = context(&folder, &format!("fe{index}"), &pair, &authority);
        assert_eq!(
            handshake(&front_end, &server, "dect.example.net").await,
            (Ok(()), Ok(())),
            "case {index}"
        );
    }
}

#[tokio::test]
async fn others_are_refused_and_told_why() {
    let (folder, authority, stranger) =
        (Folder::new("tls"), Authority::new("Root"), Authority::new("Stranger"));
    let server = context(&folder, "ours", &ours(&authority), &authority);
    let fe1: &[&str] = &["fe1.example.net"];
    let cases = [
        (
            &authority,
            Wanted { alternative: &["evil.example.net"], ..Wanted::default() },
            &["evil.example.net", "neither a proxy nor in lync.trusted_peers", "add the name"][..],
            "refuses our certificate",
        ),
        (
            &authority,
            Wanted { alternative: &["evil.example.net"], common: "fe1.example.net", ..Wanted::default() },
            &["evil.example.net"],
            "refuses our certificate",
        ),
        (
            &stranger,
            Wanted { alternative: fe1, ..Wanted::default() },
            &["authority that is not trusted here", "tls.ca"],
            "does not trust the authority of our certificate",
        ),
        (
            &authority,
            Wanted { alternative: fe1, to_days: -1, from_days: -9, ..Wanted::default() },
            &["expired at 20", "renew it"],
            "has expired",
        ),
        (
            &authority,
            Wanted { alternative: fe1, from_days: 1, ..Wanted::default() },
            &["valid only from 20", "clock"],
            "certificate",
        ),
        (
            &authority,
            Wanted { alternative: fe1, purposes: &[CodeSigning], ..Wanted::default() },
            &["not for TLS"],
            "certificate",
        ),
    ];
    for (index, (issuer, wanted, accepting_says, dialling_says)) in cases.into_iter().enumerate() {
        let front_end = context(&folder, &format!("fe{index}"), &issuer.issue(&wanted), &authority);
        let (dialled, accepted) = handshake(&front_end, &server, "dect.example.net").await;
        let (dialled, accepted) = (dialled.unwrap_err(), accepted.unwrap_err());
        for words in accepting_says {
            assert!(accepted.contains(words), "case {index}: {words:?} is not in {accepted:?}");
        }
        assert!(dialled.contains(dialling_says), "case {index}: {dialling_says:?} is not in {dialled:?}");
    }
}

#[tokio::test]
async fn a_peer_without_a_certificate_is_refused() {
    let (folder, authority) = (Folder::new("tls"), Authority::new("Root"));
    let server = context(&folder, "ours", &ours(&authority), &authority);
    let roots = server.authorities.roots.clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let anonymous = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut dialling = server.clone();
    dialling.towards_proxies = Arc::new(anonymous);
    let (dialled, accepted) = handshake(&dialling, &server, "dect.example.net").await;
    assert!(accepted.unwrap_err().contains("showed no certificate"));
    assert!(dialled.unwrap_err().contains("demands a certificate"));
}

#[tokio::test]
async fn the_proxy_we_dial_must_have_the_name_we_call() {
    let (folder, authority, stranger) =
        (Folder::new("tls"), Authority::new("Root"), Authority::new("Stranger"));
    let ours = authority.issue(&Wanted { alternative: &["pool.example.net"], ..Wanted::default() });
    let server = context(&folder, "ours", &ours, &authority);
    let cases: [(&Authority, &[&str], &str, Option<&str>); 5] = [
        (&authority, &["pool.example.net"], "ignored", None),
        (&authority, &[], "pool.example.net", None),
        (&authority, &["192.0.2.1"], "pool.example.net", None),
        (
            &authority,
            &["sip.example.net"],
            "pool.example.net",
            Some("its certificate is for sip.example.net, not for pool.example.net"),
        ),
        (&stranger, &["pool.example.net"], "ignored", Some("authority that is not trusted here")),
    ];
    for (index, (issuer, alternative, common, words)) in cases.into_iter().enumerate() {
        let pair = issuer.issue(&Wanted { alternative, common, ..Wanted::default() });
        let front_end = context(&folder, &format!("fe{index}"), &pair, &authority);
        let (dialled, _) = handshake(&server, &front_end, "pool.example.net").await;
        match words {
            None => assert_eq!(dialled, Ok(()), "case {index}"),
            Some(words) => {
                let said = dialled.unwrap_err();
                assert!(said.contains(words), "case {index}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_named() {
    let (folder, authority) = (Folder::new("tls"), Authority::new("Root"));
    let server = context(&folder, "ours", &ours(&authority), &authority);
    let (left, mut right) = tokio::io::duplex(4096);
    right.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let connector = TlsConnector::from(server.towards_proxies);
    let error = connector.connect(ServerName::try_from("pool.example.net").unwrap(), left).await.unwrap_err();
    assert!(io_error(&error).contains("no TLS"), "{}", io_error(&error));
}

#[test]
fn certificate_files_that_cannot_be_used_are_explained() {
    let (folder, authority) = (Folder::new("tls"), Authority::new("Root"));
    let (one, two) = (ours(&authority), ours(&authority));
    let write = |name: &str, text: &str| {
        std::fs::write(folder.file(name), text).unwrap();
        folder.file(name)
    };
    let (certificate, other_key) = (write("one.pem", &one.certificate), write("two.key", &two.key));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (certificate, key, words) in [
        (certificate.clone(), other_key.clone(), "does not fit the certificate"),
        (certificate.clone(), folder.file("absent.key"), "cannot be read"),
        (certificate.clone(), certificate.clone(), "no private key in it"),
        (certificate.clone(), write("encrypted.key", encrypted), "private key is encrypted"),
        (other_key.clone(), other_key.clone(), "no certificate in it"),
        (write("large.pem", &"x".repeat(300 * 1024)), other_key.clone(), "256 kilobytes"),
        (write("junk.pem", "\u{30}\u{3}junk"), other_key.clone(), "cannot be used"),
    ] {
        let tls = Tls { certificate: Some(certificate), key: Some(key), ..Tls::default() };
        let error = Identity::load(&tls).unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error:?}");
    }
    let tls = Tls { certificate: Some(write("not.pfx", "0\u{3}abc")), ..Tls::default() };
    assert!(Identity::load(&tls).unwrap_err().to_string().contains("no PKCS#12 file"));
    let tls = Tls { ca: vec![other_key], ..Tls::default() };
    assert!(Authorities::load(&tls).unwrap_err().to_string().contains("no certificate in it"));
}

#[test]
fn a_pkcs12_file_gives_our_certificate_first_and_its_chain_after_it() {
    use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, LocalKeyId, PrivateKey, PrivateKeyChain};
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};

    let (folder, authority) = (Folder::new("tls"), Authority::new("Root"));
    let pair = ours(&authority);
    let leaf = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let certificates = [&leaf, &root].map(|der| Certificate::from_der(der).unwrap());
    let mut with_key = KeyStore::new();
    let chain = PrivateKeyChain::new(
        LocalKeyId(vec![1]),
        PrivateKey::from_der(key.secret_der()).unwrap(),
        certificates.clone(),
    );
    with_key.add_entry("host", KeyStoreEntry::PrivateKeyChain(chain));
    let mut without_key = KeyStore::new();
    for (name, certificate) in ["a", "b"].into_iter().zip(certificates) {
        without_key.add_entry(name, KeyStoreEntry::Certificate(certificate));
    }
    let load = |store: &KeyStore, password: &str| {
        std::fs::write(folder.file("host.pfx"), store.writer("sesame").write().unwrap()).unwrap();
        std::fs::write(folder.file("password"), format!("{password}\r\n")).unwrap();
        let tls = Tls {
            certificate: Some(folder.file("host.pfx")),
            password_file: Some(folder.file("password")),
            ..Tls::default()
        };
        Identity::load(&tls).map(|identity| identity.unwrap()).map_err(|error| error.to_string())
    };
    let identity = load(&with_key, "sesame").unwrap();
    assert_eq!(identity.chain(), [leaf, root]);
    assert!(identity.notes.is_empty(), "{:?}", identity.notes);
    assert!(load(&with_key, "wrong").unwrap_err().contains("the password does not open it"));
    assert!(load(&without_key, "sesame").unwrap_err().contains("without its private key"));
}
