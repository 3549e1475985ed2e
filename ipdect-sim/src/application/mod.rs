//! The services behind a front end that speak and listen: the mixer of its conferences, and voice mail that records.
//!
//! Sans-IO: each call is one user agent on a connection of its own within the program; what its media sockets have to do
//! comes as [`Media`], what the front end has to know as [`Notice`]. The focus and the publication of what waits are the
//! front end's.

mod leg;
mod mailbox;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use sip_lync::gruu::ConferenceUri;
use sip_lync::{SipUri, Uri};
use srtp_sdes::{NegotiationConfig, SrtpPolicy};

use crate::frontend::{AudioMember, AudioStatus, CallEncryption, FlowId, FrontEndConfig};
use crate::seed::{Random, Seed};
use crate::user::{Check, Input, LyncUser, MediaPlan, UserConfig};
use leg::{Leg, Purpose};
use mailbox::Mailbox;

/// How the services behave.
///
/// MS-CONFAV 3.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplicationConfig {
    /// Whether the front end speaks TLS: so do its services.
    pub tls: bool,
    /// SRTP: policy, lifetime, MKI.
    pub srtp: NegotiationConfig,
    /// The longest voice message.
    pub longest_message: Duration,
}

impl ApplicationConfig {
    /// As the front end tells its clients: SRTP is required, possible or off.
    ///
    /// MS-PRES 2.2.2.8 (ServerConfiguration)
    pub fn of(config: &FrontEndConfig) -> Self {
        let policy = match config.provisioning.encryption {
            CallEncryption::Require => SrtpPolicy::Required,
            CallEncryption::Support => SrtpPolicy::Enabled,
            CallEncryption::Off => SrtpPolicy::Off,
        };
        Self {
            tls: config.tls,
            srtp: NegotiationConfig::new(policy),
            longest_message: Duration::from_mins(3),
        }
    }
}

/// What the media sockets of a call have to do.
///
/// RFC 4353 3.1
#[derive(Debug)]
#[non_exhaustive]
pub enum Media {
    /// Be a member of the mix of a conference.
    Mix {
        /// The conference.
        conference: String,
        /// How.
        plan: MediaPlan,
    },
    /// Be heard by the other members, or not.
    Mute {
        /// The conference.
        conference: String,
        /// Whether it is not heard.
        muted: bool,
    },
    /// Speak and record alone.
    Alone(MediaPlan),
    /// Say this.
    Say(Vec<i16>),
}

/// What the front end has to know.
///
/// MS-CONFAV 3.1, RFC 3842 1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Where a member of a conference stands.
    Member {
        /// The conference.
        conference: String,
        /// The member.
        member: AudioMember,
    },
    /// What is in a mail box.
    Mailbox {
        /// Whose: `user@domain`.
        user: String,
        /// How many messages are new.
        new: u32,
        /// How many were heard.
        old: u32,
    },
    /// A connection is no longer needed.
    Close(FlowId),
}

/// All calls of all services.
///
/// MS-CONFAV 3.1
#[derive(Debug)]
pub struct Applications {
    config: ApplicationConfig,
    random: Random,
    legs: BTreeMap<FlowId, Leg>,
    mailboxes: BTreeMap<String, Mailbox>,
    media: VecDeque<(FlowId, Media)>,
    notices: VecDeque<Notice>,
}

impl Applications {
    /// Services without a call, empty mail boxes.
    ///
    /// MS-CONFAV 3.1
    pub fn new(config: ApplicationConfig, seed: Seed) -> Self {
        Self {
            config,
            random: Random::new(seed),
            legs: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            media: VecDeque::new(),
            notices: VecDeque::new(),
        }
    }

    /// A call for this service comes over a connection; RTP and RTCP are received at these addresses. False: there is no such
    /// service.
    ///
    /// MS-CONFAV 3.1
    pub fn open(&mut self, now: Instant, flow: FlowId, service: &str, media: [SocketAddr; 2]) -> bool {
        let Ok(uri) = SipUri::parse(service) else { return false };
        let purpose = match ConferenceUri::of(&uri) {
            Some(conference) => Purpose::mixing(conference.id()),
            None => Purpose::mail(&uri),
        };
        self.add(now, flow, &uri, purpose, media);
        true
    }

    /// The mixer of a conference calls somebody over a connection. False: nobody can be called so.
    ///
    /// MS-CONFAV 3.1 (addUser, dialed-out)
    pub fn dial_out(
        &mut self,
        now: Instant,
        flow: FlowId,
        mixer: &str,
        target: &str,
        media: [SocketAddr; 2],
    ) -> bool {
        let Ok(uri) = SipUri::parse(mixer) else { return false };
        let Some(conference) = ConferenceUri::of(&uri) else { return false };
        self.add(now, flow, &uri, Purpose::calling(conference.id(), target), media);
        let Some(leg) = self.legs.get_mut(&flow) else { return false };
        let called = Uri::parse(target).is_ok() && leg.user.call(now, target).is_ok();
        if called {
            self.member(flow, AudioStatus::DialingOut);
        } else {
            self.legs.remove(&flow);
            self.notices.push_back(Notice::Close(flow));
        }
        self.happened(now, flow);
        called
    }

    fn add(
        &mut self,
        now: Instant,
        flow: FlowId,
        service: &SipUri,
        purpose: Purpose,
        media: [SocketAddr; 2],
    ) {
        let mut config = UserConfig::new(service.address_of_record());
        config.service = Some(service.without_headers());
        config.display_name = Some(purpose.name().to_owned());
        config.tls = self.config.tls;
        config.srtp = self.config.srtp.clone();
        config.epid = self.random.token(10);
        [config.media_rtp, config.media_rtcp] = media;
        let mut user = LyncUser::new(config, self.random.seed());
        // Both ends are in this program: the addresses are words in Via alone.
        let [local, remote] = media;
        user.handle_input(now, Input::FlowOpened { local, remote });
        self.legs.insert(flow, Leg::new(user, purpose));
    }

    /// Octets of the front end.
    ///
    /// RFC 3261 18.3
    pub fn bytes(&mut self, now: Instant, flow: FlowId, bytes: &[u8]) {
        if let Some(leg) = self.legs.get_mut(&flow) {
            leg.user.handle_input(now, Input::Bytes(bytes));
        }
        self.happened(now, flow);
    }

    /// A STUN message came to a media socket of a call.
    ///
    /// RFC 8445 7.3
    pub fn check(&mut self, now: Instant, flow: FlowId, component: u16, from: SocketAddr, data: &[u8]) {
        if let Some(leg) = self.legs.get_mut(&flow) {
            leg.user.handle_input(now, Input::Check { component, from, data });
        }
        self.happened(now, flow);
    }

    /// Lets time pass.
    ///
    /// RFC 3261 17.1
    pub fn handle_timeout(&mut self, now: Instant) {
        let flows: Vec<FlowId> = self.legs.keys().copied().collect();
        for flow in flows {
            let Some(leg) = self.legs.get_mut(&flow) else { continue };
            if leg.forget.is_some_and(|forget| forget <= now) {
                self.legs.remove(&flow);
                self.notices.push_back(Notice::Close(flow));
                continue;
            }
            if leg.limit.is_some_and(|limit| limit <= now) {
                leg.limit = None;
                leg.user.hang_up(now);
            }
            leg.user.handle_timeout(now);
            self.happened(now, flow);
        }
    }

    /// Ends the calls of a conference with a user, or all of them.
    ///
    /// MS-CONFAV 3.1 (deleteUser)
    pub fn put_out(&mut self, now: Instant, conference: &str, user: Option<&str>) {
        for flow in self.of_conference(conference, user) {
            if let Some(leg) = self.legs.get_mut(&flow) {
                leg.user.hang_up(now);
            }
            self.happened(now, flow);
        }
    }

    /// Lets the others hear a user of a conference, or not.
    ///
    /// MS-CONFAV 3.1 (modifyEndpointMedia)
    pub fn mute(&mut self, conference: &str, user: &str, muted: bool) {
        for flow in self.of_conference(conference, Some(user)) {
            let conference = conference.to_owned();
            self.media.push_back((flow, Media::Mute { conference, muted }));
        }
    }

    fn of_conference(&self, conference: &str, user: Option<&str>) -> Vec<FlowId> {
        let is_it = |leg: &Leg| match &leg.purpose {
            Purpose::Mixing(member) => {
                member.conference.eq_ignore_ascii_case(conference)
                    && user.is_none_or(|user| user.eq_ignore_ascii_case(&member.user))
            }
            Purpose::Mail(_) => false,
        };
        self.legs.iter().filter(|(_, leg)| is_it(leg)).map(|(flow, _)| *flow).collect()
    }

    /// What is to be sent to the front end: appended to `buffer`, the connection and the length.
    ///
    /// RFC 3261 18.1
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<(FlowId, usize)> {
        self.legs.iter_mut().find_map(|(flow, leg)| Some((*flow, leg.user.poll_transmit(buffer)?.len)))
    }

    /// What is to be sent from a media socket of a call: appended to `buffer`.
    ///
    /// RFC 8445 7.2
    pub fn poll_check(&mut self, buffer: &mut BytesMut) -> Option<(FlowId, Check)> {
        self.legs.iter_mut().find_map(|(flow, leg)| Some((*flow, leg.user.poll_check(buffer)?)))
    }

    /// What the media sockets of a call have to do.
    ///
    /// RFC 4353 3.1
    pub fn poll_media(&mut self) -> Option<(FlowId, Media)> {
        self.media.pop_front()
    }

    /// What the front end has to know.
    ///
    /// MS-CONFAV 3.1
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    ///
    /// RFC 3261 17.1
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.legs.values().flat_map(|leg| [leg.user.poll_timeout(), leg.forget, leg.limit]).flatten().min()
    }
}
