//! The peers of the NTLM benchmark: sspi and ntlmclient, crates; gss-ntlmssp, a C library.

use std::ffi::{CString, c_char, c_int};
use std::hint::black_box;
use std::time::{Duration, Instant};

use sspi::{
    AuthIdentity, BufferType, ClientRequestFlags, CredentialUse, DataRepresentation, Ntlm, SecurityBuffer,
    SecurityBufferRef, SecurityStatus, ServerRequestFlags, Sspi, SspiImpl, Username,
};

use super::{NOW, PASSWORD};
use benches::turns::Turns;

pub(super) fn logins(turns: Turns<'_>) -> Turns<'_> {
    let gss = Gss::new();
    let turns = turns.each("sspi", || drop(black_box(sspi_login())));
    turns.each("gss-ntlmssp (C; reads its user file each time)", move || gss.login())
}

pub(super) fn first_signatures<'a>(turns: Turns<'a>, text: &'a [u8]) -> Turns<'a> {
    let mut message = text.to_vec();
    let gss = Gss::new();
    turns
        .each("sspi", move || {
            let (mut client, mut server) = sspi_login();
            sspi_exchange(&mut client, &mut server, &mut message);
            sspi_exchange(&mut server, &mut client, &mut message);
        })
        .each("gss-ntlmssp (C; reads its user file each time)", move || {
            gss.login();
            gss.exchange(text);
        })
}

fn sspi_exchange(from: &mut Ntlm, to: &mut Ntlm, message: &mut [u8]) {
    let mut signature = sspi_sign(from, message, 0);
    let mut buffers = [SecurityBufferRef::data_buf(message), SecurityBufferRef::token_buf(&mut signature)];
    to.verify_signature(&mut buffers, 0).expect("it is right");
}

pub(super) fn responses<'a>(turns: Turns<'a>, list: &'a [u8]) -> Turns<'a> {
    let credentials = ntlmclient::Credentials {
        username: "jim".to_owned(),
        password: PASSWORD.to_owned(),
        domain: "CONTOSO".to_owned(),
    };
    turns.each("ntlmclient", move || {
        let time = i64::try_from(NOW.0).expect("a time of our days");
        black_box(ntlmclient::respond_challenge_ntlm_v2([1; 8], black_box(list), time, &credentials));
    })
}

pub(super) fn made<'a>(turns: Turns<'a>, text: &'a [u8]) -> Turns<'a> {
    let (mut client, _) = sspi_login();
    let gss = Gss::new();
    gss.login();
    let mut message = text.to_vec();
    let mut number = 0;
    turns
        .each("sspi", move || {
            sspi_sign(&mut client, &mut message, number);
            number += 1;
        })
        .each("gss-ntlmssp (C)", move || gss.sign(text))
}

pub(super) fn checked<'a>(turns: Turns<'a>, text: &'a [u8]) -> Turns<'a> {
    let (mut client, mut server) = sspi_login();
    let mut message = text.to_vec();
    let mut number = 0;
    let gss = Gss::new();
    gss.login();
    turns
        .timed("sspi", move |count| {
            let mut signatures: Vec<_> =
                (number..number + count as u32).map(|n| sspi_sign(&mut client, &mut message, n)).collect();
            let start = Instant::now();
            for signature in &mut signatures {
                let mut buffers =
                    [SecurityBufferRef::data_buf(&mut message), SecurityBufferRef::token_buf(signature)];
                server.verify_signature(&mut buffers, number).expect("it is right");
                number += 1;
            }
            start.elapsed()
        })
        .timed("gss-ntlmssp (C)", move |count| {
            let mut elapsed = Duration::ZERO;
            for _ in 0..count {
                gss.sign(text);
                let start = Instant::now();
                gss.verify(text);
                elapsed += start.elapsed();
            }
            elapsed
        })
}

fn sspi_sign(client: &mut Ntlm, message: &mut [u8], number: u32) -> [u8; 16] {
    let mut signature = [0; 16];
    let mut buffers =
        [SecurityBufferRef::data_buf(black_box(message)), SecurityBufferRef::token_buf(&mut signature)];
    client.make_signature(0, &mut buffers, number).expect("a signature");
    signature
}

/// A login of both sides. Its acceptor checks the integrity code, not the proof itself.
fn sspi_login() -> (Ntlm, Ntlm) {
    let identity = AuthIdentity {
        username: Username::new("jim", Some("CONTOSO")).expect("a name"),
        password: PASSWORD.to_owned().into(),
    };
    let (mut client, mut server) = (Ntlm::new(), Ntlm::new());
    let mut outgoing = client
        .acquire_credentials_handle()
        .with_credential_use(CredentialUse::Outbound)
        .with_auth_data(&identity)
        .execute(&mut client)
        .expect("credentials");
    let mut incoming = server
        .acquire_credentials_handle()
        .with_credential_use(CredentialUse::Inbound)
        .with_auth_data(&identity)
        .execute(&mut server)
        .expect("credentials");
    let token = || vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
    let (mut to_client, mut to_server) = (token(), token());
    loop {
        to_server[0].buffer.clear();
        let mut builder = client
            .initialize_security_context()
            .with_credentials_handle(&mut outgoing.credentials_handle)
            .with_context_requirements(ClientRequestFlags::INTEGRITY)
            .with_target_data_representation(DataRepresentation::Native)
            .with_target_name("sip/fe1")
            .with_input(&mut to_client)
            .with_output(&mut to_server);
        let step = client.initialize_security_context_impl(&mut builder);
        let status = step.expect("a step").resolve_to_result().expect("a step").status;
        drop(builder);
        if matches!(status, SecurityStatus::CompleteAndContinue | SecurityStatus::CompleteNeeded) {
            client.complete_auth_token(&mut to_server).expect("the end");
        }
        to_client[0].buffer.clear();
        let builder = server
            .accept_security_context()
            .with_credentials_handle(&mut incoming.credentials_handle)
            .with_context_requirements(ServerRequestFlags::INTEGRITY)
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut to_server)
            .with_output(&mut to_client);
        let step = server.accept_security_context_impl(builder);
        let status = step.expect("a step").resolve_to_result().expect("a step").status;
        if matches!(status, SecurityStatus::CompleteAndContinue | SecurityStatus::CompleteNeeded) {
            server.complete_auth_token(&mut to_client).expect("the end");
            return (client, server);
        }
    }
}

/// gss-ntlmssp's two contexts, which live in the shim.
#[derive(Clone)]
struct Gss {
    password: CString,
}

#[expect(unsafe_code, reason = "a C library")]
unsafe extern "C" {
    fn ntlm_gss_prepare(users: *const c_char, name: *const c_char, service: *const c_char) -> c_int;
    fn ntlm_gss_login(password: *const c_char) -> c_int;
    fn ntlm_gss_sign(octets: *const u8, length: usize) -> c_int;
    fn ntlm_gss_verify(octets: *const u8, length: usize) -> c_int;
    fn ntlm_gss_exchange(octets: *const u8, length: usize) -> c_int;
}

#[expect(unsafe_code, reason = "a C library")]
impl Gss {
    fn new() -> Self {
        let users = std::env::temp_dir().join(format!("ntlm-bench-users.{}", std::process::id()));
        std::fs::write(&users, format!("CONTOSO:jim:{PASSWORD}\n")).expect("a file of users");
        let text = |text: &str| CString::new(text).expect("no zero in it");
        let users = text(&users.to_string_lossy());
        let (name, service) = (text("CONTOSO\\jim"), text("sip@fe1"));
        // SAFETY: the texts end with zero and outlive the call; all calls come from one thread.
        let result = unsafe { ntlm_gss_prepare(users.as_ptr(), name.as_ptr(), service.as_ptr()) };
        assert_eq!(result, 0, "gss-ntlmssp is not there");
        Self { password: text(PASSWORD) }
    }

    fn login(&self) {
        // SAFETY: the text ends with zero and outlives the call; all calls come from one thread.
        let result = unsafe { ntlm_gss_login(self.password.as_ptr()) };
        assert_eq!(result, 0, "a login of gss-ntlmssp");
    }

    fn sign(&self, text: &[u8]) {
        // SAFETY: the octets are as many as is said; all calls come from one thread.
        assert_eq!(unsafe { ntlm_gss_sign(text.as_ptr(), text.len()) }, 0);
    }

    fn verify(&self, text: &[u8]) {
        // SAFETY: the octets are as many as is said; all calls come from one thread.
        assert_eq!(unsafe { ntlm_gss_verify(text.as_ptr(), text.len()) }, 0);
    }

    fn exchange(&self, text: &[u8]) {
        // SAFETY: the octets are as many as is said; all calls come from one thread.
        assert_eq!(unsafe { ntlm_gss_exchange(text.as_ptr(), text.len()) }, 0);
    }
}
