//! Your first Lync phone: `first-phone HOST:PORT sip:you@domain DOMAIN\you PASSWORD sip:somebody@domain`, over TCP.
//! `docs/first-lync-phone.md` explains it line by line.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use examples::connection::Connection;
use examples::login::Login;
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, Input, Invite, Seed, SipUri, Transport, Uri, User,
};

pub(crate) fn phone(arguments: &[String]) -> Result<Vec<String>, Box<dyn Error>> {
    let [server, me, account, password, them] = arguments else { return Err("five arguments".into()) };
    let mut login = Login::new(account, password)?;
    let mut connection = Connection::open(server, None)?;
    let (local, remote) = connection.addresses()?;
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;

    let mut config = Config::client("phone");
    config.transport = Transport::Tcp;
    config.credentials = true;
    let mut endpoint = Endpoint::new(config, Seed(random));
    let user = endpoint.add_user(User::new(SipUri::parse(me)?, "0123456789"));
    let (flow, role) = (FlowId(1), FlowRole::Dialled);
    endpoint.handle_input(Instant::now(), Input::FlowOpened { flow, local, remote, role })?;
    endpoint.register(Instant::now(), user, flow, None)?;

    let (mut story, mut buffer, mut received) = (Vec::new(), BytesMut::new(), vec![0; 65536]);
    loop {
        while let Some(transmit) = endpoint.poll_transmit(&mut buffer) {
            let mut message = buffer.split_to(transmit.len);
            if let Some(slot) = endpoint.poll_signature() {
                login.sign(&slot, &mut message);
            }
            connection.write(&message)?;
        }
        let now = Instant::now();
        while let Some(event) = endpoint.poll_event() {
            story.push(format!("{event:?}").split([' ', '(']).next().unwrap_or_default().to_owned());
            match event {
                Event::Challenged { user, challenges } => {
                    getrandom::fill(&mut random[..24])?;
                    let leg = login.leg(&challenges, random[..24].try_into()?).ok_or("no NTLM here")?;
                    endpoint.authenticate(now, user, leg);
                }
                Event::SignatureReceived { id, text, signature, .. } => {
                    endpoint.verified(now, id, login.judge(&text, &signature));
                }
                Event::Registered { refreshed: false, .. } => {
                    let offer = format!(
                        "v=0\r\no=- 0 0 IN IP4 {0}\r\ns=phone\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n",
                        local.ip()
                    );
                    endpoint.invite(now, user, Invite::new(Uri::parse(them)?, offer))?;
                }
                Event::Answered { session, .. } => endpoint.hang_up(now, session),
                Event::Ended { .. } => endpoint.deregister(now, user),
                Event::Deregistered { .. } => return Ok(story),
                Event::RegistrationFailed { .. } | Event::Failed { .. } => {
                    return Err(story.join(", ").into());
                }
                _ => {}
            }
        }
        let until = endpoint.poll_timeout().unwrap_or(now + Duration::from_secs(1));
        if buffer.is_empty()
            && let Some(bytes) = connection.read(&mut received, until)?
        {
            endpoint.handle_input(Instant::now(), Input::Bytes { flow, bytes })?;
        }
        endpoint.handle_timeout(Instant::now());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", phone(&std::env::args().skip(1).collect::<Vec<_>>())?.join("\n"));
    Ok(())
}
