//! Your first Lync phone. `docs/first-lync-phone.md` tells its story.
use bytes::BytesMut;
use examples::{connection::Connection, login::Login};
use sip_lync::sdp::{AudioOffer, audio_offer};
use sip_lync::{Config, Endpoint, Event, FlowId, FlowRole, Input, Invite, Seed};
use sip_lync::{SipUri, Transport, Uri, User};
use std::error::Error;
use std::time::{Duration, Instant};
pub(crate) fn phone(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [server, me, account, password, them] = arguments else { return Err("5 arguments".into()) };
    let mut login = Login::new(account, password)?;
    let mut connection = Connection::open(server, None)?;
    let (local, remote) = connection.addresses()?;
    let (mut seed, mut random) = ([0; 32], [0; 24]);
    getrandom::fill(&mut seed)?;
    let mut config = Config::client("phone");
    (config.transport, config.credentials) = (Transport::Tcp, true);
    let mut endpoint = Endpoint::new(config, Seed(seed));
    let user = endpoint.add_user(User::new(SipUri::parse(me)?, "0123456789"));
    let (flow, role) = (FlowId(1), FlowRole::Dialled);
    endpoint.handle_input(Instant::now(), Input::FlowOpened { flow, local, remote, role })?;
    endpoint.register(Instant::now(), user, flow, None)?;
    let (mut buffer, mut received) = (BytesMut::new(), vec![0; 65536]);
    loop {
        let now = Instant::now();
        endpoint.handle_timeout(now);
        while let Some(event) = endpoint.poll_event() {
            match event {
                Event::Challenged { user, challenges } => {
                    getrandom::fill(&mut random)?;
                    endpoint.authenticate(now, user, login.leg(&challenges, random)?);
                }
                Event::SignatureReceived { id, text, signature, .. } => {
                    endpoint.verified(now, id, login.judge(&text, &signature));
                }
                Event::Registered { refreshed: false, .. } => {
                    let offer = audio_offer(&AudioOffer::new(local.ip(), 4000, 4001)).to_string();
                    endpoint.invite(now, user, Invite::new(Uri::parse(them)?, offer))?;
                }
                Event::Answered { session, .. } => endpoint.hang_up(now, session),
                Event::Ended { .. } => return Ok(()),
                Event::Failed { failure, .. } => return Err(failure.reason.into()),
                Event::RegistrationFailed { failure, .. } => return Err(failure.text().into()),
                _ => {}
            }
        }
        while let Some(transmit) = endpoint.poll_transmit(&mut buffer) {
            let mut message = buffer.split_to(transmit.len);
            endpoint.poll_signature().map(|slot| login.sign(&slot, &mut message));
            connection.write(&message)?;
        }
        let until = endpoint.poll_timeout().unwrap_or(now + Duration::from_secs(1));
        if let Some(bytes) = connection.read(&mut received, until)? {
            endpoint.handle_input(Instant::now(), Input::Bytes { flow, bytes })?;
        }
    }
}
fn main() -> Result<(), Box<dyn Error>> {
    phone(&std::env::args().skip(1).collect::<Vec<_>>())
}
