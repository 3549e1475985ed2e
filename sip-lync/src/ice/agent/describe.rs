//! What this agent writes into a session description.

use core::net::SocketAddr;

use super::{Agent, begin};
use crate::ice::candidate::{Local, Transport};
use crate::ice::dialect::Dialect;
use crate::sdp::{Attribute, Candidate, CandidateKind, CandidateTransport};

impl Agent {
    /// The attributes of an offer or answer: credentials and candidates.
    ///
    /// RFC 8839 5, MS-ICE2 2.2, MS-ICE 2.2
    pub fn attributes(&self) -> Vec<Attribute> {
        let mut attributes = self.credentials();
        for local in self.locals.iter().filter(|l| self.is_written(l)) {
            attributes.extend(self.candidate(local));
        }
        // RFC 5761 5.1.1: an answer agrees only to what was offered.
        if self.config.rtcp_mux && (self.theirs.is_empty() || self.remote_mux) {
            attributes.push(Attribute::property("rtcp-mux"));
        }
        attributes
    }

    /// The attributes of the last offer, and of the answer to it: the chosen pairs alone. Empty while there are none.
    ///
    /// MS-ICE2 3.1.4.8, MS-ICE 3.1.6.2, RFC 8839 4.4.1.2.2
    pub fn final_attributes(&self) -> Vec<Attribute> {
        let selected: Vec<_> = self.components.iter().filter_map(|c| c.selected).collect();
        if selected.is_empty() || selected.len() != self.components.len() {
            return Vec::new();
        }
        let mut attributes = self.credentials();
        let mut remotes = String::new();
        let mut name = None;
        for selected in &selected {
            let component = selected.path.component;
            let local =
                self.locals.iter().find(|l| l.component == component && l.address == selected.local).or_else(
                    || self.locals.iter().find(|l| l.component == component && l.base == selected.path.local),
                );
            attributes.extend(local.and_then(|local| self.candidate(local)));
            let remote = selected.path.remote;
            if !remotes.is_empty() {
                remotes.push(' ');
            }
            remotes += &format!("{component} {} {}", remote.ip(), remote.port());
            name = name.or_else(|| {
                let remote = self.remotes.iter().find(|r| r.component == component && r.address == remote)?;
                self.theirs.get(usize::from(remote.credentials)).map(|c| c.username.clone())
            });
        }
        match (self.config.dialect, name) {
            (Dialect::Draft06, Some(name)) => attributes.push(Attribute::new("remote-candidate", name)),
            _ => attributes.push(Attribute::new("remote-candidates", remotes)),
        }
        attributes
    }

    /// The address of `m=` and `c=` (component 1) or of `a=rtcp` (component 2): that of the chosen pair, before the one
    /// most likely to be reached.
    ///
    /// RFC 8445 5.1.4, MS-ICE2 3.1.4.8
    pub fn default_address(&self, component: u16) -> Option<SocketAddr> {
        self.selected(component).map(|selected| selected.local).or_else(|| {
            let usable = |l: &&Local| l.component == component && l.transport == Transport::Udp;
            begin::default(self.locals.iter().filter(usable)).map(|local| local.address)
        })
    }

    fn credentials(&self) -> Vec<Attribute> {
        match (self.config.dialect, self.ours.first()) {
            (Dialect::Rfc8445 | Dialect::MsIce2, Some(ours)) => {
                vec![Attribute::new("ice-ufrag", &ours.username), Attribute::new("ice-pwd", ours.password())]
            }
            _ => Vec::new(),
        }
    }

    /// In draft 6 one line tells both directions of TCP.
    fn is_written(&self, local: &Local) -> bool {
        let peer_reflexive = local.kind == crate::ice::candidate::Kind::PeerReflexive;
        !(peer_reflexive || self.config.dialect.is_draft06() && local.transport == Transport::TcpActive)
    }

    fn candidate(&self, local: &Local) -> Option<Attribute> {
        let dialect = self.config.dialect;
        let transport = match (dialect, local.transport) {
            (_, Transport::Udp) => CandidateTransport::Udp,
            (Dialect::MsIce2, Transport::TcpActive) => CandidateTransport::TcpActive,
            (Dialect::MsIce2, Transport::TcpPassive) => CandidateTransport::TcpPassive,
            (Dialect::Rfc8445 | Dialect::Draft06, Transport::TcpActive | Transport::TcpPassive) => {
                CandidateTransport::Tcp
            }
        };
        let kind = if dialect.is_draft06() {
            let ours = self.ours_of(local)?;
            CandidateKind::Draft06 {
                username: ours.username.to_string(),
                password: ours.password().to_owned(),
                priority: format!("0.{:03}", local.priority / 1_000_000),
            }
        } else {
            let extensions = match (dialect, local.transport) {
                (Dialect::Rfc8445, Transport::TcpActive) => "tcptype active",
                (Dialect::Rfc8445, Transport::TcpPassive) => "tcptype passive",
                _ => "",
            };
            CandidateKind::Rfc8445 {
                foundation: local.foundation.to_string(),
                priority: local.priority,
                kind: local.kind.as_str().to_owned(),
                related: local.related.map(|related| (related.ip(), related.port())),
                extensions: extensions.to_owned(),
            }
        };
        let candidate = Candidate {
            component: local.component,
            transport,
            address: local.address.ip(),
            port: local.address.port(),
            kind,
        };
        // Lync keeps IPv6 away from peers that cannot read it.
        let name = if dialect == Dialect::MsIce2 && local.address.is_ipv6() {
            "x-candidate-ipv6"
        } else {
            "candidate"
        };
        Some(Attribute::new(name, candidate))
    }
}
