//! Why a server did not take a publication.

use core::fmt::Write;

use bytes::{BufMut, BytesMut};

use crate::category::instance::number;
use crate::error::{Error, Rule};
use crate::xml::{escaped, parse};

/// The fault of publications that are not based on the current versions.
///
/// MS-PRES 2.2.2.9
pub const WRONG_DELTA: &str = "Client.BadCall.WrongDelta";

/// A fault, with the publications of the request that are to blame.
///
/// MS-PRES 2.2.2.9
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What kind of fault, for example [`WRONG_DELTA`].
    pub code: String,
    /// The publications that conflict; those that are not listed do not.
    pub conflicts: Vec<VersionConflict>,
}

/// A publication that was not based on the current version.
///
/// MS-PRES 2.2.2.9 (operation)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionConflict {
    /// Which publication of the request, counted from 1.
    pub index: usize,
    /// The version that the request was based on.
    pub version: u32,
    /// The version that the server holds.
    pub current: u32,
}

impl Fault {
    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.9
    pub fn emit(&self, out: &mut BytesMut) {
        let mut text = format!("<Fault><Faultcode>{}</Faultcode><details>", escaped(&self.code));
        for VersionConflict { index, version, current } in &self.conflicts {
            let _ =
                write!(text, "<operation index=\"{index}\" version=\"{version}\" curVersion=\"{current}\"/>");
        }
        text.push_str("</details></Fault>");
        out.put_slice(text.as_bytes());
    }

    /// Reads a fault, with or without a namespace.
    ///
    /// MS-PRES 2.2.2.9
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let root = parse(body)?;
        if root.name != "Fault" {
            return Err(root.broken(Rule::Root));
        }
        let mut fault = Self { code: String::new(), conflicts: Vec::new() };
        for child in &root.children {
            match child.name.as_str() {
                "Faultcode" | "faultcode" => child.text().clone_into(&mut fault.code),
                "details" => {
                    for operation in child.children.iter().filter(|child| child.name == "operation") {
                        fault.conflicts.push(VersionConflict {
                            index: number(operation, "index")?,
                            version: number(operation, "version").unwrap_or(0),
                            current: number(operation, "curVersion")?,
                        });
                    }
                }
                _ => {}
            }
        }
        Ok(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_read_with_and_without_namespace() {
        for head in ["<Fault>", "<Fault xmlns=\"u:fault\">"] {
            let body = format!(
                "{head}<Faultcode>Client.BadCall.WrongDelta</Faultcode>\
                 <details><operation index=\"1\" version=\"1\" curVersion=\"2\"/></details></Fault>"
            );
            let fault = Fault::parse(body.as_bytes()).expect("a fault");
            assert_eq!(fault.code, WRONG_DELTA);
            assert_eq!(fault.conflicts, [VersionConflict { index: 1, version: 1, current: 2 }]);
            let mut out = BytesMut::new();
            fault.emit(&mut out);
            assert_eq!(Fault::parse(&out), Ok(fault));
        }
    }
}
