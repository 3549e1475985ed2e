//! Long information elements in segments: cut into pieces for several messages, and put together again.
//!
//! An element holds 255 octets at most. Longer contents travel as several elements of the same type, each directly behind
//! a SEGMENTED-INFO that says how many are still to come. The contents go on from segment to segment: what begins an
//! element (its protocol, its profile) stands in the first segment alone (inferred).

use bytes::Bytes;

use crate::coding::Octets;
use crate::element::{ElementIdentifier, InformationElement, Opaque, SegmentedInfo};
use crate::error::{Error, Rule};

/// The most octets of contents that are cut or put together.
///
/// EN 300 175-5 7.7.37 (127 segments are possible; the limit is ours)
pub const LONGEST: usize = 4096;

/// The octets of contents one segment carries, so that its message keeps to 58 octets: two for its header, four for
/// SEGMENTED-INFO, two for identifier and length.
///
/// EN 300 175-5 annex A (the longest message without segments)
pub const PIECE: usize = 50;

/// Cuts the contents of an element into segments, two elements each: SEGMENTED-INFO and the piece.
///
/// EN 300 175-5 7.7.37
pub fn cut(
    element: ElementIdentifier,
    contents: &[u8],
) -> Result<impl Iterator<Item = [InformationElement; 2]>, Error> {
    let count = contents.len().div_ceil(PIECE);
    if contents.is_empty() || contents.len() > LONGEST {
        return Err(Error::Value(Rule::TooLong));
    }
    Ok(contents.chunks(PIECE).enumerate().map(move |(index, piece)| {
        let info = SegmentedInfo { first: index == 0, remaining: (count - index) as u8, element };
        [
            info.into(),
            InformationElement::Opaque(Opaque { identifier: element, contents: Octets::cut(piece) }),
        ]
    }))
}

/// What was received of an element so far.
///
/// EN 300 175-5 7.7.37
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembly {
    /// The element, and how many segments it still lacks.
    lacks: Option<(ElementIdentifier, u8)>,
    contents: Vec<u8>,
}

impl Assembly {
    /// Takes a segment; the whole contents once the last one has come. A first segment begins anew; one that does not
    /// go on where the last one ended, or that makes the contents too long, drops everything.
    ///
    /// EN 300 175-5 7.7.37, 17.5
    pub fn push(&mut self, info: SegmentedInfo, piece: &[u8]) -> Result<Option<Bytes>, Error> {
        let before = self.lacks.take();
        if info.first {
            self.contents.clear();
        } else if before != info.remaining.checked_add(1).map(|lacks| (info.element, lacks)) {
            self.contents = Vec::new();
            return Err(Error::Malformed { at: 0, rule: Rule::Segment });
        }
        if self.contents.len() + piece.len() > LONGEST {
            self.contents = Vec::new();
            return Err(Error::Malformed { at: 0, rule: Rule::TooLong });
        }
        self.contents.extend_from_slice(piece);
        if info.remaining > 1 {
            self.lacks = Some((info.element, info.remaining));
            return Ok(None);
        }
        Ok(Some(std::mem::take(&mut self.contents).into()))
    }

    /// Whether segments are still to come.
    ///
    /// EN 300 175-5 7.7.37
    pub const fn is_waiting(&self) -> bool {
        self.lacks.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IWU: ElementIdentifier = ElementIdentifier::IwuToIwu;

    fn pieces(contents: &[u8]) -> Vec<(SegmentedInfo, Vec<u8>)> {
        cut(IWU, contents)
            .unwrap()
            .map(|[info, piece]| match (info, piece) {
                (InformationElement::SegmentedInfo(info), InformationElement::Opaque(piece)) => {
                    (info, piece.contents.to_vec())
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn contents_of_every_length_are_put_together_as_they_were_cut() {
        for length in [1, 49, 50, 51, 100, 255, 256, 1000, LONGEST] {
            let contents: Vec<u8> = (0..length).map(|octet| octet as u8).collect();
            let pieces = pieces(&contents);
            assert_eq!(pieces.len(), length.div_ceil(PIECE));
            assert_eq!(usize::from(pieces[0].0.remaining), pieces.len());
            let mut assembly = Assembly::default();
            let mut whole = None;
            for (index, (info, piece)) in pieces.iter().enumerate() {
                assert_eq!(info.first, index == 0);
                assert!(whole.is_none());
                assert_eq!(assembly.is_waiting(), index != 0);
                whole = assembly.push(*info, piece).unwrap();
            }
            assert_eq!(whole.as_deref(), Some(&contents[..]));
            assert!(!assembly.is_waiting());
        }
        assert!(cut(IWU, &[0; LONGEST + 1]).is_err());
        assert!(cut(IWU, &[]).is_err());
    }

    #[test]
    fn a_segment_out_of_order_or_of_another_element_drops_what_came() {
        let pieces = pieces(&[7; 200]);
        let (first, second, third) = (&pieces[0], &pieces[1], &pieces[2]);
        let push = |assembly: &mut Assembly, it: &(SegmentedInfo, Vec<u8>)| assembly.push(it.0, &it.1);
        let wrong = Err(Error::Malformed { at: 0, rule: Rule::Segment });
        let mut assembly = Assembly::default();
        assert_eq!(push(&mut assembly, second), wrong, "no first one");
        push(&mut assembly, first).unwrap();
        assert_eq!(push(&mut assembly, third), wrong, "one is missing");
        push(&mut assembly, first).unwrap();
        push(&mut assembly, second).unwrap();
        assert_eq!(push(&mut assembly, second), wrong, "twice");
        push(&mut assembly, first).unwrap();
        let other = SegmentedInfo { element: ElementIdentifier::Facility, ..second.0 };
        assert_eq!(assembly.push(other, &second.1), wrong, "another element");
        // A new first segment begins anew.
        push(&mut assembly, first).unwrap();
        push(&mut assembly, first).unwrap();
        push(&mut assembly, second).unwrap();
        assert!(assembly.is_waiting());
    }

    #[test]
    fn what_is_put_together_is_bounded() {
        let mut assembly = Assembly::default();
        let mut refused = Vec::new();
        for remaining in (1..=127_u8).rev() {
            let info = SegmentedInfo { first: remaining == 127, remaining, element: IWU };
            if let Err(error) = assembly.push(info, &[0; 255]) {
                assert!(assembly.contents.capacity() == 0 && !assembly.is_waiting());
                refused.push(error);
            }
            assert!(assembly.contents.len() <= LONGEST);
        }
        assert_eq!(refused.len(), 127 - LONGEST / 255);
        assert_eq!(refused[0], Error::Malformed { at: 0, rule: Rule::TooLong });
        assert_eq!(refused[1], Error::Malformed { at: 0, rule: Rule::Segment });
    }
}
