//! The web services that give users certificates: tickets for those who log in with NTLM, certificates for tickets.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ntlm_auth::{Acceptor, AcceptorConfig, FileTime, Mode, NtHash};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::authority::Authority;
use super::soap;
use super::ticket::Tickets;
use crate::frontend::FrontEndUser;
use crate::net::stream::Acceptor as Listener;

/// What the services know.
pub(crate) struct Provisioning {
    authority: Authority,
    users: Vec<FrontEndUser>,
    /// Host and port that clients are told.
    host: String,
    lifetime: Duration,
    tickets: Mutex<Tickets>,
}

/// What a connection has of a login with NTLM.
type Login = Mutex<Option<Acceptor>>;

impl Provisioning {
    pub(crate) fn new(
        authority: Authority,
        users: Vec<FrontEndUser>,
        host: String,
        lifetime: Duration,
    ) -> Self {
        Self { authority, users, host, lifetime, tickets: Mutex::new(Tickets::default()) }
    }

    /// What TLS-DSK is offered with.
    pub(crate) fn address(&self) -> String {
        format!("https://{}{}", self.host, soap::CERTIFICATES)
    }

    async fn answer(&self, login: &Login, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY).collect().await else {
            return page(StatusCode::PAYLOAD_TOO_LARGE, String::new());
        };
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        let path = head.uri.path().trim_end_matches('/');
        let below = |service: &str| path.strip_prefix(service).map(str::to_owned);
        match (&head.method, below(soap::CERTIFICATES).as_deref(), below(soap::TICKETS).as_deref()) {
            (&Method::GET, Some("/mex"), _) => page(StatusCode::OK, soap::certificate_service(&self.host)),
            (&Method::GET, _, Some("/mex")) => page(StatusCode::OK, soap::ticket_service(&self.host)),
            (&Method::POST, _, Some("/Auth")) => {
                let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
                match self.log_in(login, authorization) {
                    Ok(user) => self.ticket(&user, &body),
                    Err(challenge) => {
                        let mut response = page(StatusCode::UNAUTHORIZED, String::new());
                        if let Ok(value) = challenge.parse() {
                            response.headers_mut().insert(WWW_AUTHENTICATE, value);
                        }
                        response
                    }
                }
            }
            (&Method::POST, Some("/WebTicket_Proof_SHA1"), _) => match self.certificate(&body) {
                Ok(answer) => page(StatusCode::OK, answer),
                Err(why) => page(StatusCode::INTERNAL_SERVER_ERROR, soap::fault(why)),
            },
            _ => page(StatusCode::NOT_FOUND, String::new()),
        }
    }

    /// Who has logged in with NTLM on this connection, or the next challenge.
    fn log_in(&self, login: &Login, authorization: Option<&str>) -> Result<String, String> {
        let mut login = login.lock().unwrap_or_else(PoisonError::into_inner);
        let anew = || "NTLM".to_owned();
        let token = authorization.and_then(|value| value.strip_prefix("NTLM ")).ok_or_else(anew)?;
        let token = Base64::decode_vec(token.trim()).map_err(|_| anew())?;
        let time = FileTime::from(SystemTime::now());
        if let Some(acceptor) = login.take() {
            let claim = acceptor.authenticate(time, &token).map_err(|_| anew())?;
            let user = self.users.iter().find(|user| {
                user.domain.eq_ignore_ascii_case(claim.domain())
                    && user.account.eq_ignore_ascii_case(claim.user())
            });
            let hash = user.map(|user| NtHash::of_password(&user.password.0));
            claim.prove(hash.as_ref()).map_err(|_| anew())?;
            let user = user.ok_or_else(anew)?;
            return Ok(format!("{}@{}", user.uri.user().unwrap_or_default(), user.uri.host()));
        }
        let domain = self.users.iter().map(|user| user.domain.as_str()).find(|domain| !domain.is_empty());
        let config = AcceptorConfig::new(Mode::Stream, "FE", domain.unwrap_or("LAB"));
        let random = random::<8>().ok_or_else(anew)?;
        let acceptor = Acceptor::new(config, Some(&token), random, Some(time)).map_err(|_| anew())?;
        let challenge = format!("NTLM {}", Base64::encode_string(acceptor.challenge()));
        *login = Some(acceptor);
        Err(challenge)
    }

    fn ticket(&self, user: &str, request: &str) -> Response<Full<Bytes>> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = random()
            .ok_or("there is no randomness")
            .and_then(|random| tickets.issue(SystemTime::now(), user, request, &random));
        match issued {
            Ok(answer) => page(StatusCode::OK, answer),
            Err(why) => page(StatusCode::INTERNAL_SERVER_ERROR, soap::fault(why)),
        }
    }

    /// GetAndPublishCert (MS-OCAUTHWS 3.2.4).
    fn certificate(&self, request: &str) -> Result<String, &'static str> {
        let user = {
            let tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
            tickets.user(SystemTime::now(), request)?.to_owned()
        };
        let entity = soap::attribute(request, "GetAndPublishCert", "Entity").unwrap_or_default();
        if !entity.strip_prefix("sip:").unwrap_or(&entity).eq_ignore_ascii_case(&user) {
            return Err("the ticket is another user's");
        }
        let device = soap::attribute(request, "GetAndPublishCert", "DeviceId").unwrap_or_default();
        let number = soap::text(request, "RequestID").unwrap_or_default();
        let asked = soap::text(request, "BinarySecurityToken").ok_or("there is no PKCS #10 request")?;
        let asked = Base64::decode_vec(&asked).map_err(|_| "the PKCS #10 request is no base64")?;
        let certificate = self.authority.grant(&asked, &user, self.lifetime)?;
        let certificate = certificate.to_der().map_err(|_| "OpenSSL cannot write the certificate")?;
        Ok(soap::envelope(&format!(
            "<GetAndPublishCertResponse xmlns=\"http://schemas.microsoft.com/OCS/AuthWebServices/\" \
             DeviceId=\"{}\" Entity=\"{}\">\
             <RequestSecurityTokenResponse xmlns=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512/\">\
             <TokenType>{PROFILE}#X509v3</TokenType><RequestedSecurityToken>\
             <BinarySecurityToken ValueType=\"{PROFILE}#X509v3\" EncodingType=\"{ENCODING}\" xmlns=\"{SECURITY}\">{}\
             </BinarySecurityToken></RequestedSecurityToken>\
             <RequestID xmlns=\"http://schemas.microsoft.com/windows/pki/2009/01/enrollment\">{}</RequestID>\
             </RequestSecurityTokenResponse></GetAndPublishCertResponse>",
            soap::escaped(&device),
            soap::escaped(&user),
            Base64::encode_string(&certificate),
            soap::escaped(&number),
        )))
    }
}

/// Serves until `end` is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    acceptor: Listener,
    services: Arc<Provisioning>,
    mut end: watch::Receiver<()>,
) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
            _ = end.changed() => return,
        };
        let (acceptor, services, mut end) = (acceptor.clone(), Arc::clone(&services), end.clone());
        tokio::spawn(async move {
            let opened = timeout(PATIENCE, acceptor.accept(stream));
            let Ok(Ok(opened)) = opened.await else { return };
            let login = Login::default();
            let (login, services) = (&login, &services);
            let service =
                service_fn(
                    |request| async move { Ok::<_, Infallible>(services.answer(login, request).await) },
                );
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(opened.stream), service);
            tokio::select! {
                served = timeout(CONNECTION, connection) => match served {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "a connection for certificates ended"),
                    Err(_) => tracing::debug!("a connection for certificates was idle"),
                },
                _ = end.changed() => {}
            }
        });
    }
}

fn page(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    if let Ok(kind) = "text/xml; charset=utf-8".parse() {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).ok()?;
    Some(octets)
}

const PROFILE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0";
const ENCODING: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd#Base64Binary";
const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// The longest request.
const BODY: usize = 65_536;
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTION: Duration = Duration::from_mins(2);
