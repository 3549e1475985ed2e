//! Bandwidth admission: what is asked of the policy along with an allocation, and what it answers.

use core::net::SocketAddr;

use crate::stun::{
    AdmissionControl, Attribute, AttributeType, Builder, LocationProfile, Message, PathResponse,
    ReservationAmount, ServiceQuality,
};

/// A question to the policy, on the allocation of the call.
///
/// MS-TURNBWM 3.2.4
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AdmissionRequest {
    /// Check, commit or update.
    pub message: AdmissionControl,
    /// The reservation, for an update.
    pub reservation: Option<[u8; 16]>,
    /// How much is wanted.
    pub amount: Option<ReservationAmount>,
    /// The peer's host.
    pub remote_site: Option<SocketAddr>,
    /// The peer's relay.
    pub remote_relay: Option<SocketAddr>,
    /// Our host.
    pub local_site: Option<SocketAddr>,
    /// Our relay.
    pub local_relay: Option<SocketAddr>,
    /// What the stream is.
    pub quality: Option<ServiceQuality>,
    /// Where both ends are.
    pub location: Option<LocationProfile>,
    /// The call.
    pub call_id: Vec<u8>,
    /// The dialog.
    pub dialog_id: Vec<u8>,
}

impl AdmissionRequest {
    /// A question with nothing but its kind.
    ///
    /// MS-TURNBWM 3.2.4
    pub const fn new(message: AdmissionControl) -> Self {
        Self {
            message,
            reservation: None,
            amount: None,
            remote_site: None,
            remote_relay: None,
            local_site: None,
            local_relay: None,
            quality: None,
            location: None,
            call_id: Vec::new(),
            dialog_id: Vec::new(),
        }
    }

    /// Whether what the policy needs for this kind is there.
    ///
    /// MS-TURNBWM 3.3.5
    pub const fn is_complete(&self) -> bool {
        match self.message {
            AdmissionControl::Check => {
                self.amount.is_some() && self.remote_site.is_some() && self.location.is_some()
            }
            AdmissionControl::Commit => {
                self.amount.is_some()
                    && self.remote_site.is_some()
                    && self.local_site.is_some()
                    && self.location.is_some()
            }
            AdmissionControl::Update => self.reservation.is_some(),
        }
    }

    pub(super) fn emit(&self, builder: &mut Builder<'_>) {
        builder.push(&Attribute::AdmissionControl(self.message));
        let address =
            |address: Option<SocketAddr>, make: fn(SocketAddr) -> Attribute<'static>| address.map(make);
        let attributes = [
            self.reservation.map(Attribute::ReservationIdentifier),
            self.amount.map(Attribute::ReservationAmount),
            address(self.remote_site, Attribute::RemoteSiteAddress),
            address(self.remote_relay, Attribute::RemoteRelaySiteAddress),
            address(self.local_site, Attribute::LocalSiteAddress),
            address(self.local_relay, Attribute::LocalRelaySiteAddress),
            self.quality.map(Attribute::MsServiceQuality),
            self.location.map(Attribute::LocationProfile),
        ];
        for attribute in attributes.into_iter().flatten() {
            builder.push(&attribute);
        }
        if !self.dialog_id.is_empty() {
            builder.push(&Attribute::SipDialogId(&self.dialog_id));
        }
        if !self.call_id.is_empty() {
            builder.push(&Attribute::SipCallId(&self.call_id));
        }
    }

    pub(super) fn read(message: &Message<'_>) -> Option<Self> {
        let Some(Attribute::AdmissionControl(kind)) = message.attribute(AttributeType::ADMISSION_CONTROL)
        else {
            return None;
        };
        let mut request = Self::new(kind);
        for attribute in message.attributes().flatten() {
            match attribute {
                Attribute::ReservationIdentifier(name) => request.reservation = Some(name),
                Attribute::ReservationAmount(amount) => request.amount = Some(amount),
                Attribute::RemoteSiteAddress(address) => request.remote_site = Some(address),
                Attribute::RemoteRelaySiteAddress(address) => request.remote_relay = Some(address),
                Attribute::LocalSiteAddress(address) => request.local_site = Some(address),
                Attribute::LocalRelaySiteAddress(address) => request.local_relay = Some(address),
                Attribute::MsServiceQuality(quality) => request.quality = Some(quality),
                Attribute::LocationProfile(location) => request.location = Some(location),
                _ => {}
            }
        }
        Some(request)
    }
}

/// What the policy answered.
///
/// MS-TURNBWM 3.2.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdmissionAnswer {
    /// What had been asked.
    pub message: AdmissionControl,
    /// The reservation, after a commit.
    pub reservation: Option<[u8; 16]>,
    /// How much was reserved.
    pub amount: Option<ReservationAmount>,
    /// The policy for our host.
    pub local_site: Option<PathResponse>,
    /// The policy for our relay.
    pub local_relay: Option<PathResponse>,
    /// The policy for the peer's host.
    pub remote_site: Option<PathResponse>,
    /// The policy for the peer's relay.
    pub remote_relay: Option<PathResponse>,
}

impl AdmissionAnswer {
    /// An answer with nothing but its kind.
    ///
    /// MS-TURNBWM 3.3.5
    pub const fn new(message: AdmissionControl) -> Self {
        Self {
            message,
            reservation: None,
            amount: None,
            local_site: None,
            local_relay: None,
            remote_site: None,
            remote_relay: None,
        }
    }

    pub(super) fn read(message: &Message<'_>) -> Option<Self> {
        let Some(Attribute::AdmissionControl(kind)) = message.attribute(AttributeType::ADMISSION_CONTROL)
        else {
            return None;
        };
        let mut answer = Self::new(kind);
        for attribute in message.attributes().flatten() {
            match attribute {
                Attribute::ReservationIdentifier(name) => answer.reservation = Some(name),
                Attribute::ReservationAmount(amount) => answer.amount = Some(amount),
                Attribute::LocalSiteResponse(path) => answer.local_site = Some(path),
                Attribute::LocalRelaySiteResponse(path) => answer.local_relay = Some(path),
                Attribute::RemoteSiteResponse(path) => answer.remote_site = Some(path),
                Attribute::RemoteRelaySiteResponse(path) => answer.remote_relay = Some(path),
                _ => {}
            }
        }
        Some(answer)
    }

    /// The attributes of the answer.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'static>> {
        [
            Some(Attribute::AdmissionControl(self.message)),
            self.reservation.map(Attribute::ReservationIdentifier),
            self.amount.map(Attribute::ReservationAmount),
            self.remote_site.map(Attribute::RemoteSiteResponse),
            self.remote_relay.map(Attribute::RemoteRelaySiteResponse),
            self.local_site.map(Attribute::LocalSiteResponse),
            self.local_relay.map(Attribute::LocalRelaySiteResponse),
        ]
        .into_iter()
        .flatten()
    }
}
