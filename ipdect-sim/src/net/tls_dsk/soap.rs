//! The messages of the web services, as far as they are needed.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The first element of this local name: its text, without elements within.
pub(super) fn text(message: &str, name: &str) -> Option<String> {
    let raw = element(message, name)?;
    let content = raw.get(raw.find('>')? + 1..raw.rfind("</")?)?;
    Some(content.split_whitespace().collect())
}

/// The first element of this local name as it stands in the message, with its tags.
pub(super) fn element<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let mut reader = Reader::from_str(message);
    let mut start = None;
    let mut depth = 0_usize;
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        match reader.read_event().ok()? {
            Event::Start(tag) if start.is_some() || tag.local_name().as_ref() == name => {
                start.get_or_insert(before);
                depth += 1;
            }
            Event::End(_) if start.is_some() => {
                depth -= 1;
                if depth == 0 {
                    return message.get(start?..usize::try_from(reader.buffer_position()).ok()?);
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// An attribute of the first element of this local name.
pub(super) fn attribute(message: &str, name: &str, attribute: &str) -> Option<String> {
    let mut reader = Reader::from_str(message);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == name => {
                let value = tag.try_get_attribute(attribute).ok()??;
                return Some(value.value.into_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// Text for an element or attribute.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// A message with this in its body.
pub(super) fn envelope(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// A refusal.
pub(super) fn fault(why: &str) -> String {
    envelope(&format!(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>{}</faultstring></s:Fault>",
        escaped(why)
    ))
}

/// What the certificate service tells of itself: that it wants a ticket, and of whom (WS-SecurityPolicy, WSDL 1.1).
pub(super) fn certificate_service(host: &str) -> String {
    format!(
        "<wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" \
         xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" \
         xmlns:wsp=\"http://schemas.xmlsoap.org/ws/2004/09/policy\" \
         xmlns:sp=\"http://schemas.xmlsoap.org/ws/2005/07/securitypolicy\" \
         xmlns:wsa=\"http://www.w3.org/2005/08/addressing\" \
         xmlns:wsu=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd\">\
         <wsp:Policy wsu:Id=\"{PORT}_policy\"><wsp:ExactlyOne><wsp:All>\
         <sp:EndorsingSupportingTokens><wsp:Policy><sp:IssuedToken><sp:Issuer>\
         <wsa:Address>https://{host}{TICKETS}</wsa:Address>\
         </sp:Issuer></sp:IssuedToken></wsp:Policy></sp:EndorsingSupportingTokens>\
         </wsp:All></wsp:ExactlyOne></wsp:Policy>\
         <wsdl:service name=\"CertProvisioningService\"><wsdl:port name=\"{PORT}\">\
         <soap:address location=\"https://{host}{CERTIFICATES}/WebTicket_Proof_SHA1\"/>\
         </wsdl:port></wsdl:service></wsdl:definitions>"
    )
}

/// What the ticket service tells of itself (WSDL 1.1).
pub(super) fn ticket_service(host: &str) -> String {
    format!(
        "<wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" \
         xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\">\
         <wsdl:service name=\"WebTicketService\"><wsdl:port name=\"WebTicketServiceWinNegotiate\">\
         <soap:address location=\"https://{host}{TICKETS}/Auth\"/>\
         </wsdl:port></wsdl:service></wsdl:definitions>"
    )
}

/// Where the certificate service is.
pub(super) const CERTIFICATES: &str = "/CertProv/CertProvisioningService.svc";
/// Where the ticket service is.
pub(super) const TICKETS: &str = "/WebTicket/WebTicketService.svc";
/// The way in that takes tickets whose holder proves that it is theirs.
const PORT: &str = "CertProvisioningServiceWebTicketProof_SHA1";
