//! The `device` category: what an endpoint can do. A handset speaks and listens, and neither shows nor writes.

use std::borrow::Cow;

use crate::category::state_category::optional;
use crate::error::{Error, Rule};
use crate::pidf::owned;
use crate::xml::{Name, Namespace, Reader, Writer, name_only};

/// A device with its capabilities.
///
/// MS-PRES 2.2.2.7 (device)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct DeviceCategory<'a> {
    /// The endpoint's UUID, without braces.
    pub endpoint_id: Cow<'a, str>,
    /// The address of the endpoint.
    pub gruu: Option<Cow<'a, str>>,
    /// Whether the user prefers this device.
    pub preferred: bool,
    /// The user.
    pub uri: Option<Cow<'a, str>>,
    /// What it can do; what is not named it cannot.
    pub capabilities: Vec<DeviceCapability<'a>>,
    /// The offset of its clock, as in `00:00:00+01:00`.
    pub time_zone: Option<Cow<'a, str>>,
    /// What people call the machine.
    pub machine_name: Option<Cow<'a, str>>,
}

/// What a device can do with one medium.
///
/// MS-PRES 2.2.2.7 (device capabilities)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceCapability<'a> {
    /// The medium, for example `voice`.
    pub name: Cow<'a, str>,
    /// It can record.
    pub capture: bool,
    /// It can play.
    pub render: bool,
    /// It can offer it to others.
    pub publish: bool,
}

impl<'a> DeviceCategory<'a> {
    /// A telephone: it speaks and listens, and takes part in conferences. Watchers without another device of the user show
    /// that there is voice only.
    ///
    /// MS-PRES 2.2.2.7 (device)
    #[must_use]
    pub fn telephone(endpoint_id: impl Into<Cow<'a, str>>) -> Self {
        let capabilities = TELEPHONE.map(|(name, capture, render, publish)| DeviceCapability {
            name: Cow::Borrowed(name),
            capture,
            render,
            publish,
        });
        Self { endpoint_id: endpoint_id.into(), capabilities: capabilities.into(), ..Self::default() }
    }

    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.7 (device)
    #[must_use]
    pub fn into_owned(self) -> DeviceCategory<'static> {
        DeviceCategory {
            endpoint_id: owned(self.endpoint_id),
            gruu: self.gruu.map(owned),
            preferred: self.preferred,
            uri: self.uri.map(owned),
            capabilities: self.capabilities.into_iter().map(DeviceCapability::into_owned).collect(),
            time_zone: self.time_zone.map(owned),
            machine_name: self.machine_name.map(owned),
        }
    }

    /// As many octets as it hardly exceeds.
    pub(super) const EXPECTED: usize = 900;

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<device xmlns=\"http://schemas.microsoft.com/2006/09/sip/device\"");
        out.attribute(" endpointId=\"", &self.endpoint_id).optional(" gruu=\"", self.gruu.as_deref());
        out.raw("><capabilities preferred=\"").boolean(self.preferred).raw("\"");
        out.optional(" uri=\"", self.uri.as_deref()).raw(">");
        for capability in &self.capabilities {
            out.raw("<").raw(&name_only(&capability.name));
            out.raw(" capture=\"").boolean(capability.capture);
            out.raw("\" render=\"").boolean(capability.render);
            out.raw("\" publish=\"").boolean(capability.publish).raw("\"/>");
        }
        out.raw("</capabilities>");
        optional(self.time_zone.as_deref(), "<timezone", "</timezone>", out);
        optional(self.machine_name.as_deref(), "<machineName", "</machineName>", out);
        out.raw("</device>");
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut device = Self {
            endpoint_id: reader.required("endpointId")?,
            gruu: reader.attribute("gruu"),
            ..Self::default()
        };
        while let Some(child) = reader.child()? {
            match child.local {
                "capabilities" => {
                    device.preferred = truth(reader, "preferred");
                    device.uri = reader.attribute("uri");
                    while let Some(capability) = reader.child()? {
                        device.capabilities.push(DeviceCapability {
                            name: Cow::Borrowed(capability.local),
                            capture: truth(reader, "capture"),
                            render: truth(reader, "render"),
                            publish: truth(reader, "publish"),
                        });
                        reader.skip()?;
                    }
                }
                "timezone" => device.time_zone = Some(reader.text()?),
                "machineName" => device.machine_name = Some(reader.text()?),
                _ => reader.skip()?,
            }
        }
        Ok(device)
    }

    pub(super) fn is(name: &Name<'_>) -> bool {
        name.is(Namespace::Device, "device")
    }
}

/// A boolean attribute that is false when it is missing or cannot be understood.
pub(crate) fn truth(reader: &Reader<'_>, name: &str) -> bool {
    matches!(reader.attribute(name).as_deref().map(str::trim), Some("true" | "1"))
}

/// The `services` category: what the server made of all devices of a user.
///
/// MS-PRES 2.2.2.7 (services)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ServicesCategory<'a> {
    /// The services, usually one.
    pub services: Vec<Service<'a>>,
}

/// One service of a user.
///
/// MS-PRES 2.2.2.7 (services)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Service<'a> {
    /// Where it is reached.
    pub uri: Cow<'a, str>,
    /// What it can do.
    pub capabilities: Vec<AggregatedCapability<'a>>,
}

/// What a service can do with one medium, and which endpoint does it best.
///
/// MS-PRES 2.2.2.7 (services)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AggregatedCapability<'a> {
    /// The capability.
    pub capability: DeviceCapability<'a>,
    /// The endpoint to be preferred.
    pub preferred_endpoint: Option<Cow<'a, str>>,
    /// The availability of that device.
    pub device_availability: Option<u32>,
}

impl DeviceCapability<'_> {
    fn into_owned(self) -> DeviceCapability<'static> {
        let Self { name, capture, render, publish } = self;
        DeviceCapability { name: owned(name), capture, render, publish }
    }
}

impl AggregatedCapability<'_> {
    fn into_owned(self) -> AggregatedCapability<'static> {
        AggregatedCapability {
            capability: self.capability.into_owned(),
            preferred_endpoint: self.preferred_endpoint.map(owned),
            device_availability: self.device_availability,
        }
    }
}

impl<'a> ServicesCategory<'a> {
    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.7 (services)
    #[must_use]
    pub fn into_owned(self) -> ServicesCategory<'static> {
        let service = |Service { uri, capabilities }: Service<'_>| Service {
            uri: owned(uri),
            capabilities: capabilities.into_iter().map(AggregatedCapability::into_owned).collect(),
        };
        ServicesCategory { services: self.services.into_iter().map(service).collect() }
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<services xmlns=\"http://schemas.microsoft.com/2006/09/sip/service\">");
        for service in &self.services {
            out.attribute("<service uri=\"", &service.uri).raw("><capabilities>");
            for aggregated in &service.capabilities {
                let AggregatedCapability { capability, preferred_endpoint, device_availability } = aggregated;
                out.raw("<").raw(&name_only(&capability.name));
                out.raw(" render=\"").boolean(capability.render);
                out.raw("\" capture=\"").boolean(capability.capture);
                out.raw("\" publish=\"").boolean(capability.publish).raw("\"");
                out.optional(" preferredEndpointId=\"", preferred_endpoint.as_deref());
                if let Some(availability) = device_availability {
                    out.raw(" deviceAvailability=\"").number(*availability).raw("\"");
                }
                out.raw("/>");
            }
            out.raw("</capabilities></service>");
        }
        out.raw("</services>");
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut services = Self::default();
        while let Some(child) = reader.child()? {
            if child.local != "service" {
                reader.skip()?;
                continue;
            }
            let uri = reader.attribute("uri").unwrap_or_default();
            let mut service = Service { uri, ..Service::default() };
            while let Some(child) = reader.child()? {
                if child.local != "capabilities" {
                    reader.skip()?;
                    continue;
                }
                while let Some(capability) = reader.child()? {
                    let availability = reader.attribute("deviceAvailability");
                    service.capabilities.push(AggregatedCapability {
                        capability: DeviceCapability {
                            name: Cow::Borrowed(capability.local),
                            capture: truth(reader, "capture"),
                            render: truth(reader, "render"),
                            publish: truth(reader, "publish"),
                        },
                        preferred_endpoint: reader.attribute("preferredEndpointId"),
                        device_availability: availability
                            .and_then(|text| super::state_category::unsigned(&text)),
                    });
                    reader.skip()?;
                }
            }
            services.services.push(service);
        }
        Ok(services)
    }

    pub(super) fn is(name: &Name<'_>) -> bool {
        name.is(Namespace::Service, "services")
    }
}

impl DeviceCategory<'_> {
    /// Refuses an endpoint that is no name at all.
    pub(super) fn check(&self, reader: &Reader<'_>) -> Result<(), Error> {
        if self.endpoint_id.trim().is_empty() { Err(reader.broken(Rule::AttributeValue)) } else { Ok(()) }
    }
}

/// Name, capture, render, publish of each capability of a telephone.
const TELEPHONE: [(&str, bool, bool, bool); 7] = [
    ("text", false, false, false),
    ("gifInk", false, false, false),
    ("isfInk", false, false, false),
    ("applicationSharing", false, false, false),
    ("voice", true, true, false),
    ("video", false, false, false),
    ("confInvite", false, true, true),
];
