//! The namespaces that presence documents use, as numbers that are quick to compare.

/// A namespace.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Namespace {
    /// No namespace.
    None,
    /// `xml:` itself.
    Xml,
    Pidf,
    DataModel,
    Rpid,
    Cipid,
    Capabilities,
    PidfDiff,
    WatcherInfo,
    ResourceLists,
    /// Activities of the draft that Lync's own PIDF still speaks.
    OldRpid,
    SchemaInstance,
    RichPresence,
    Categories,
    Containers,
    ContainerManagement,
    Subscribers,
    RoamingSelf,
    State,
    Device,
    Service,
    ContactCard,
    Note,
    Routing,
    MessageWaiting,
    CommonTypes,
    BatchSubscribe,
    CategoryList,
    /// Either spelling of the namespace of Communicator 2005.
    Presentity,
    Provisioning,
    UserProperties,
    /// Any other.
    Other,
}

impl Namespace {
    pub(crate) fn of(name: &str) -> Self {
        if let Some(rest) = name.strip_prefix("urn:ietf:params:xml:ns:") {
            return match rest {
                "pidf" => Self::Pidf,
                "pidf:data-model" => Self::DataModel,
                "pidf:rpid" => Self::Rpid,
                "pidf:cipid" => Self::Cipid,
                "pidf:caps" => Self::Capabilities,
                "pidf-diff" => Self::PidfDiff,
                "watcherinfo" => Self::WatcherInfo,
                "rlmi" => Self::ResourceLists,
                "pidf:status:rpid-status" => Self::OldRpid,
                _ => Self::Other,
            };
        }
        if let Some(rest) = name.strip_prefix("http://schemas.microsoft.com/") {
            return match rest {
                "2006/09/sip/state" => Self::State,
                "2006/09/sip/categories" => Self::Categories,
                "2006/09/sip/rich-presence" => Self::RichPresence,
                "2006/09/sip/containers" => Self::Containers,
                "2006/09/sip/container-management" => Self::ContainerManagement,
                "2006/09/sip/presence-subscribers" => Self::Subscribers,
                "2006/09/sip/roaming-self" => Self::RoamingSelf,
                "2006/09/sip/device" => Self::Device,
                "2006/09/sip/service" => Self::Service,
                "2006/09/sip/contactcard" => Self::ContactCard,
                "2006/09/sip/note" => Self::Note,
                "02/2006/sip/routing" | "2006/09/sip/routing" => Self::Routing,
                "2006/09/sip/mwi" => Self::MessageWaiting,
                "2006/09/sip/commontypes" => Self::CommonTypes,
                "2006/01/sip/batch-subscribe" => Self::BatchSubscribe,
                "2006/09/sip/categorylist" => Self::CategoryList,
                "2002/09/sip/presence" | "09/2002/sip/presence" => Self::Presentity,
                "2006/09/sip/provisiongrouplist" | "2006/09/sip/provisiongrouplist-notification" => {
                    Self::Provisioning
                }
                "2006/09/sip/categories/userProperties" => Self::UserProperties,
                _ => Self::Other,
            };
        }
        match name {
            "" => Self::None,
            XML => Self::Xml,
            "http://www.w3.org/2001/XMLSchema-instance" => Self::SchemaInstance,
            _ => Self::Other,
        }
    }
}

pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
