//! SRTP of other hands, each with a context of one direction: AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM, a replay list of 128
//! where the peer has one.

/// Master key and salt of a stream; Galois/counter mode takes two octets of salt less.
pub(crate) type Keys = [u8; 30];

/// A peer's context.
pub(crate) trait Peer {
    /// The protected packet: its octets, however the peer hands them out.
    fn protect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8]));
    /// The plain packet.
    fn unprotect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8]));
}

type Make = fn(keys: &Keys, galois: bool, outbound: bool) -> Box<dyn Peer>;

/// Name, constructor, and whether a thousand contexts are bearable.
pub(crate) const PEERS: [(&str, Make, bool); 4] = [
    ("webrtc-srtp 0.17", |keys, galois, _| Box::new(Webrtc::new(keys, galois)), true),
    ("rtc-srtp 0.21", |keys, galois, _| Box::new(Rtc::new(keys, galois)), true),
    ("libsrtp 0.1 (Rust)", |keys, galois, outbound| Box::new(PureRust::new(keys, galois, outbound)), true),
    (
        "libsrtp2 of Debian (NSS)",
        |keys, galois, outbound| Box::new(Debian::new(keys, galois, outbound)),
        false,
    ),
];

fn parts(keys: &Keys, galois: bool) -> (&[u8], &[u8]) {
    let (key, salt) = keys.split_at(16);
    (key, &salt[..if galois { 12 } else { 14 }])
}

struct Webrtc(webrtc_srtp::context::Context);

impl Webrtc {
    fn new(keys: &Keys, galois: bool) -> Self {
        use webrtc_srtp::option::srtp_replay_protection;
        use webrtc_srtp::protection_profile::ProtectionProfile;
        let profile =
            if galois { ProtectionProfile::AeadAes128Gcm } else { ProtectionProfile::Aes128CmHmacSha1_80 };
        let (key, salt) = parts(keys, galois);
        let replay = Some(srtp_replay_protection(128));
        Self(webrtc_srtp::context::Context::new(key, salt, profile, replay, None).expect("a context"))
    }
}

impl Peer for Webrtc {
    fn protect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        see(&self.0.encrypt_rtp(packet).expect("protected"));
    }

    fn unprotect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        see(&self.0.decrypt_rtp(packet).expect("authentic"));
    }
}

struct Rtc(rtc_srtp::context::Context);

impl Rtc {
    fn new(keys: &Keys, galois: bool) -> Self {
        use rtc_srtp::option::srtp_replay_protection;
        use rtc_srtp::protection_profile::ProtectionProfile;
        let profile =
            if galois { ProtectionProfile::AeadAes128Gcm } else { ProtectionProfile::Aes128CmHmacSha1_80 };
        let (key, salt) = parts(keys, galois);
        let provider = rtc_crypto::default_provider().expect("ring");
        let replay = Some(srtp_replay_protection(128));
        Self(
            rtc_srtp::context::Context::new(key, salt, profile, replay, None, provider.crypto())
                .expect("a context"),
        )
    }
}

impl Peer for Rtc {
    fn protect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        see(&self.0.encrypt_rtp(packet).expect("protected"));
    }

    fn unprotect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        see(&self.0.decrypt_rtp(packet).expect("authentic"));
    }
}

enum PureRust {
    Send(libsrtp::SendSession),
    Receive(libsrtp::RecvSession),
}

impl PureRust {
    fn new(keys: &Keys, galois: bool, outbound: bool) -> Self {
        use libsrtp::{MasterKey, ProtectionProfile, RecvSession, SendSession, StreamConfig};
        let profile =
            if galois { ProtectionProfile::AeadAes128Gcm } else { ProtectionProfile::Aes128CmHmacSha180 };
        let (key, salt) = parts(keys, galois);
        let config = StreamConfig::new(vec![MasterKey::new(key, salt, &None)], &profile, &profile);
        if outbound {
            let mut session = SendSession::new();
            session.add_stream(None, &config).expect("a stream");
            Self::Send(session)
        } else {
            let mut session = RecvSession::new();
            session.add_stream(None, &config).expect("a stream");
            Self::Receive(session)
        }
    }
}

impl Peer for PureRust {
    fn protect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        let Self::Send(session) = self else { panic!("a sender") };
        see(&session.rtp_protect(packet.to_vec()).expect("protected"));
    }

    fn unprotect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        let Self::Receive(session) = self else { panic!("a receiver") };
        see(&session.rtp_unprotect(packet.to_vec()).expect("authentic"));
    }
}

/// The library in C works in place.
struct Debian {
    session: *mut core::ffi::c_void,
    buffer: [u8; 2048],
}

#[expect(unsafe_code, reason = "a library in C")]
// SAFETY: the declarations are those of `peers/srtp_libsrtp2.c`.
unsafe extern "C" {
    fn srtp_peer_new(galois: i32, outbound: i32, keys: *mut u8) -> *mut core::ffi::c_void;
    fn srtp_peer_protect(session: *mut core::ffi::c_void, packet: *mut u8, length: i32) -> i32;
    fn srtp_peer_unprotect(session: *mut core::ffi::c_void, packet: *mut u8, length: i32) -> i32;
    fn srtp_peer_free(session: *mut core::ffi::c_void);
}

impl Debian {
    fn new(keys: &Keys, galois: bool, outbound: bool) -> Self {
        let mut keys = *keys;
        #[expect(unsafe_code, reason = "a library in C")]
        // SAFETY: the keys are as long as the longest policy wants them.
        let session = unsafe { srtp_peer_new(galois.into(), outbound.into(), keys.as_mut_ptr()) };
        assert!(!session.is_null(), "libsrtp2 makes a context");
        Self { session, buffer: [0; 2048] }
    }

    fn work(&mut self, packet: &[u8], protect: bool, see: &mut dyn FnMut(&[u8])) {
        self.buffer[..packet.len()].copy_from_slice(packet);
        let (buffer, length) = (self.buffer.as_mut_ptr(), packet.len() as i32);
        #[expect(unsafe_code, reason = "a library in C")]
        // SAFETY: the session lives as long as this value, and the buffer has room for the longest tag.
        let length = unsafe {
            if protect {
                srtp_peer_protect(self.session, buffer, length)
            } else {
                srtp_peer_unprotect(self.session, buffer, length)
            }
        };
        see(&self.buffer[..usize::try_from(length).expect("libsrtp2 does it")]);
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "a library in C")]
        // SAFETY: nobody else has the session.
        unsafe {
            srtp_peer_free(self.session);
        }
    }
}

impl Peer for Debian {
    fn protect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        self.work(packet, true, see);
    }

    fn unprotect(&mut self, packet: &[u8], see: &mut dyn FnMut(&[u8])) {
        self.work(packet, false, see);
    }
}
