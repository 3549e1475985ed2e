//! Why a server did not take a publication.

use bytes::BytesMut;

use crate::category::instance::number;
use crate::error::{Error, Limits, Rule};
use crate::xml::{BLANKS, Reader, Writer};

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
        let mut out = Writer::new(out, 100 + 64 * self.conflicts.len());
        out.element("<Fault><Faultcode>", &self.code, "</Faultcode><details>");
        for VersionConflict { index, version, current } in &self.conflicts {
            out.raw("<operation index=\"").number(*index as u64).raw("\" version=\"").number(*version);
            out.raw("\" curVersion=\"").number(*current).raw("\"/>");
        }
        out.raw("</details></Fault>");
    }

    /// Reads a fault, with or without a namespace.
    ///
    /// MS-PRES 2.2.2.9
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        if reader.root()?.local != "Fault" {
            return Err(reader.broken(Rule::Root));
        }
        let mut fault = Self { code: String::new(), conflicts: Vec::new() };
        while let Some(child) = reader.child()? {
            match child.local {
                "Faultcode" | "faultcode" => {
                    reader.text()?.trim_matches(BLANKS).clone_into(&mut fault.code);
                }
                "details" => fault.read_details(&mut reader)?,
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(fault)
    }

    fn read_details(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        while let Some(child) = reader.child()? {
            if child.local == "operation" {
                self.conflicts.push(VersionConflict {
                    index: number(reader, "index")?,
                    version: number(reader, "version").unwrap_or(0),
                    current: number(reader, "curVersion")?,
                });
            }
            reader.skip()?;
        }
        Ok(())
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
