//! Codec list: which codecs in which slots.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// A speech codec.
    ///
    /// EN 300 175-5 7.7.54
    Codec {
        /// User specific, 32 kbit/s.
        User32 = 1,
        /// G.726 with 32 kbit/s.
        G726 = 2,
        /// G.722 with 64 kbit/s.
        G722 = 3,
        /// G.711, A-law.
        G711ALaw = 4,
        /// G.711, µ-law.
        G711MuLaw = 5,
        /// G.729.1 with 32 kbit/s.
        G7291 = 6,
        /// MPEG-4 ER AAC-LD with 32 kbit/s.
        AacLd32 = 7,
        /// MPEG-4 ER AAC-LD with 64 kbit/s.
        AacLd64 = 8,
        /// User specific, 64 kbit/s.
        User64 = 9,
    }
}

coded! {
    /// The services of the data link and medium access layers.
    ///
    /// EN 300 175-5 7.7.54
    MacDlcService {
        /// LU1, minimum delay A.
        Lu1InA = 0,
        /// LU1, minimum delay B.
        Lu1InB = 1,
        /// LU1, IPM.
        Lu1Ipm = 2,
        /// LU1, IPQ.
        Lu1Ipq = 3,
        /// LU7, minimum delay B.
        Lu7InB = 4,
        /// LU12, minimum delay B.
        Lu12InB = 5,
    }
}

coded! {
    /// How signalling is routed on the C-plane.
    ///
    /// EN 300 175-5 7.7.54
    CPlaneRouting {
        /// CS only.
        CsOnly = 0,
        /// CS preferred.
        CsPreferred = 1,
        /// CF preferred.
        CfPreferred = 2,
        /// CF only.
        CfOnly = 4,
    }
}

coded! {
    /// The size of a slot.
    ///
    /// EN 300 175-5 7.7.54, 8.2.4.5
    SlotType {
        /// Half slot.
        Half = 0,
        /// Long slot with 640 bits.
        Long640 = 1,
        /// Long slot with 672 bits.
        Long672 = 2,
        /// Full slot.
        Full = 4,
        /// Double slot.
        Double = 5,
    }
}

/// One codec and what it needs.
///
/// EN 300 175-5 7.7.54
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CodecChoice {
    /// The codec.
    pub codec: Codec,
    /// The services below.
    pub service: MacDlcService,
    /// The C-plane routing.
    pub routing: CPlaneRouting,
    /// The slot.
    pub slot: SlotType,
}

/// The codecs, most wanted first.
///
/// EN 300 175-5 7.7.54
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CodecList {
    /// Negotiation (three bits): 0 not possible, 1 codecs are negotiated.
    pub negotiation: u8,
    /// The codecs.
    pub codecs: Vec<CodecChoice>,
}

const MOST: usize = 84;

impl Contents for CodecList {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let negotiation = reader.octet()? >> 4 & 7;
        let mut codecs = Vec::new();
        while !reader.is_empty() {
            let [codec, service, last] = reader.array()?;
            codecs.push(CodecChoice {
                codec: Codec::from_code(codec & 0x7f),
                service: MacDlcService::from_code(service & 0xf),
                routing: CPlaneRouting::from_code(last >> 4 & 7),
                slot: SlotType::from_code(last & 0xf),
            });
            if last & 0x80 != 0 {
                break;
            }
        }
        Ok(Self { negotiation, codecs })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(0x80 | (self.negotiation & 7) << 4);
        let count = self.codecs.len().min(MOST);
        for (index, choice) in self.codecs.iter().take(count).enumerate() {
            let last = if index + 1 == count { 0x80 } else { 0 };
            contents.put_u8(choice.codec.code() & 0x7f);
            contents.put_u8(choice.service.code() & 0xf);
            contents.put_u8(last | (choice.routing.code() & 7) << 4 | choice.slot.code() & 0xf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wideband_in_a_long_slot_before_narrow_band_in_a_full_slot() {
        let choice = |codec, slot| CodecChoice {
            codec,
            service: MacDlcService::Lu1InA,
            routing: CPlaneRouting::CsOnly,
            slot,
        };
        let list = CodecList {
            negotiation: 1,
            codecs: vec![choice(Codec::G722, SlotType::Long640), choice(Codec::G726, SlotType::Full)],
        };
        let mut written = BytesMut::new();
        list.emit(&mut written);
        assert_eq!(written, &[0x90, 0x03, 0x00, 0x01, 0x02, 0x00, 0x84][..]);
        assert_eq!(CodecList::parse(&written), Ok(list));
        assert!(CodecList::parse(&[0x90, 0x03, 0x00]).is_err());
    }
}
