//! Terminal capability: what a portable part can do.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader, coded, put_group},
    error::{Error, Rule},
};

coded! {
    /// Which tones the portable part makes.
    ///
    /// EN 300 175-5 7.7.41
    ToneCapability {
        /// Not applicable.
        NotApplicable = 0,
        /// None.
        None = 1,
        /// Dial tone only.
        DialTone = 2,
        /// Those of ITU-T E.182.
        E182 = 3,
        /// All.
        All = 4,
    }
}

coded! {
    /// Which display the portable part has.
    ///
    /// EN 300 175-5 7.7.41
    DisplayCapability {
        /// Not applicable.
        NotApplicable = 0,
        /// None.
        None = 1,
        /// Numeric.
        Numeric = 2,
        /// Numeric with some more characters.
        NumericPlus = 3,
        /// Alphanumeric.
        Alphanumeric = 4,
        /// Full display.
        Full = 5,
    }
}

coded! {
    /// Which control codes the display obeys.
    ///
    /// EN 300 175-5 7.7.41
    ControlCodes {
        /// Not specified.
        NotSpecified = 0,
        /// Clear display.
        Clear = 1,
        /// The same and cursor movements.
        Cursor = 2,
        /// The same and return, tabs and clear to end.
        Tabs = 3,
        /// The same and flash.
        Flash = 4,
    }
}

/// The echo behaviour of the portable part.
///
/// EN 300 175-5 7.7.41
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EchoParameter {
    /// Echo loss (three bits): 1 minimum, 2 more than 46 dB, 3 more than 55 dB.
    pub loss: u8,
    /// Noise rejection (two bits): 1 none, 2 provided.
    pub noise_rejection: u8,
    /// Adaptive volume control (two bits).
    pub volume_control: u8,
}

/// Security and display control.
///
/// EN 300 175-5 7.7.41
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ControlCapability {
    /// The DSAA2 is supported.
    pub dsaa2: bool,
    /// The DSC2 is supported.
    pub dsc2: bool,
    /// Which control codes the display obeys.
    pub codes: ControlCodes,
    /// Further character sets (seven bits): 1 ISO 8859-1, 2 8859-15, 4 8859-9, 8 8859-7.
    pub character_sets: Option<u8>,
}

/// The capabilities of a portable part.
///
/// Octets stand in a fixed order, so a value that is absent before a present one is sent as zero.
///
/// EN 300 175-5 7.7.41
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TerminalCapability {
    /// Tones.
    pub tone: ToneCapability,
    /// Display.
    pub display: DisplayCapability,
    /// Echo.
    pub echo: Option<EchoParameter>,
    /// Slots (seven bits): 1 half, 2 long 640, 4 long 672, 8 full, 16 double.
    pub slots: Option<u8>,
    /// How many characters the display stores.
    pub stored_characters: Option<u16>,
    /// Lines of the display.
    pub lines: Option<u8>,
    /// Characters of a line.
    pub columns: Option<u8>,
    /// Scrolling behaviour.
    pub scrolling: Option<u8>,
    /// The bit maps of profiles, seven bits an octet.
    pub profiles: Octets<16>,
    /// Security and display control.
    pub control: Option<ControlCapability>,
    /// What follows: blind slots and later additions.
    pub further: Octets<64>,
}

/// Octet and bit of a profile.
const LONG_640: u8 = 2;
const GAP: (usize, u8) = (0, 0x02);
const NG_PART_1: (usize, u8) = (5, 0x02);
const NG_PART_3: (usize, u8) = (5, 0x04);
const EARLY_ENCRYPTION: (usize, u8) = (5, 0x10);

impl TerminalCapability {
    /// A usual telephone of the generic access profile: four lines of sixteen characters.
    ///
    /// EN 300 175-5 7.7.41
    pub fn gap_telephone() -> Self {
        Self {
            tone: ToneCapability::E182,
            display: DisplayCapability::Full,
            echo: Some(EchoParameter { loss: 1, noise_rejection: 1, volume_control: 1 }),
            slots: Some(8),
            stored_characters: Some(64),
            lines: Some(4),
            columns: Some(16),
            scrolling: Some(1),
            profiles: Octets::cut(&[GAP.1]),
            control: Some(ControlCapability {
                dsaa2: false,
                dsc2: false,
                codes: ControlCodes::Cursor,
                character_sets: None,
            }),
            further: Octets::default(),
        }
    }

    fn has(&self, (octet, bit): (usize, u8)) -> bool {
        self.profiles.get(octet).is_some_and(|bits| bits & bit != 0)
    }

    /// Whether the generic access profile is supported.
    ///
    /// EN 300 175-5 7.7.41
    pub fn supports_gap(&self) -> bool {
        self.has(GAP)
    }

    /// Whether wideband speech of NG-DECT part 1 is supported.
    ///
    /// EN 300 175-5 7.7.41
    pub fn supports_wideband(&self) -> bool {
        self.has(NG_PART_1)
    }

    /// Whether the extended services of NG-DECT part 3 are supported.
    ///
    /// EN 300 175-5 7.7.41
    pub fn supports_extended_services(&self) -> bool {
        self.has(NG_PART_3)
    }

    /// Whether re-keying and early encryption are supported.
    ///
    /// EN 300 175-5 7.7.41
    pub fn supports_early_encryption(&self) -> bool {
        self.has(EARLY_ENCRYPTION)
    }

    fn announce(&mut self, (octet, bit): (usize, u8)) {
        let mut profiles = self.profiles.to_vec();
        if profiles.len() <= octet {
            profiles.resize(octet + 1, 0);
        }
        if let Some(bits) = profiles.get_mut(octet) {
            *bits |= bit;
        }
        self.profiles = Octets::cut(&profiles);
    }

    /// Announces wideband speech: NG-DECT part 1 and the long slot.
    ///
    /// EN 300 175-5 7.7.41
    pub fn announce_wideband(&mut self) {
        self.announce(NG_PART_1);
        self.slots = Some(self.slots.unwrap_or(0) | LONG_640);
    }

    /// Announces re-keying and early encryption.
    ///
    /// EN 300 175-5 7.7.41
    pub fn announce_early_encryption(&mut self) {
        self.announce(EARLY_ENCRYPTION);
    }

    /// Whether the DSAA2 is supported.
    ///
    /// EN 300 175-5 7.7.41
    pub fn supports_dsaa2(&self) -> bool {
        self.control.is_some_and(|control| control.dsaa2)
    }

    fn display_group(&self) -> Vec<u8> {
        let echo = self
            .echo
            .map(|echo| (echo.loss & 7) << 4 | (echo.noise_rejection & 3) << 2 | echo.volume_control & 3);
        let stored = self.stored_characters.map(|stored| [(stored >> 7) as u8 & 0x7f, stored as u8 & 0x7f]);
        let first = (self.tone.code() & 7) << 4 | self.display.code() & 0xf;
        let octets = [
            Some(first),
            echo,
            self.slots,
            stored.map(|[high, _]| high),
            stored.map(|[_, low]| low),
            self.lines,
            self.columns,
            self.scrolling,
        ];
        let count = octets.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        octets.iter().take(count).map(|octet| octet.unwrap_or(0)).collect()
    }
}

impl Contents for TerminalCapability {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let display: Vec<u8> = reader.group()?.iter().map(|octet| octet & 0x7f).collect();
        let octet = |index: usize| display.get(index).copied();
        let first = octet(0).unwrap_or(0);
        let profiles: Vec<u8> = reader.group_if_any().iter().map(|octet| octet & 0x7f).collect();
        let profiles = Octets::new(&profiles).map_err(|_| reader.broken(Rule::TooLong))?;
        let control = reader.group_if_any();
        let control = control.first().map(|first| ControlCapability {
            dsaa2: first & 0x40 != 0,
            dsc2: first & 0x20 != 0,
            codes: ControlCodes::from_code(first & 7),
            character_sets: control.get(1).map(|octet| octet & 0x7f),
        });
        let further = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self {
            tone: ToneCapability::from_code(first >> 4),
            display: DisplayCapability::from_code(first & 0xf),
            echo: octet(1).map(|octet| EchoParameter {
                loss: octet >> 4,
                noise_rejection: octet >> 2 & 3,
                volume_control: octet & 3,
            }),
            slots: octet(2),
            stored_characters: octet(3)
                .zip(octet(4))
                .map(|(high, low)| u16::from(high) << 7 | u16::from(low)),
            lines: octet(5),
            columns: octet(6),
            scrolling: octet(7),
            profiles,
            control,
            further,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        put_group(contents, &self.display_group());
        if !self.profiles.is_empty() || self.control.is_some() || !self.further.is_empty() {
            put_group(contents, if self.profiles.is_empty() { &[0] } else { &self.profiles });
        }
        match self.control {
            Some(control) => {
                let flag = |set: bool, flag: u8| if set { flag } else { 0 };
                let first = flag(control.dsaa2, 0x40) | flag(control.dsc2, 0x20) | control.codes.code() & 7;
                match control.character_sets {
                    Some(sets) => put_group(contents, &[first, sets]),
                    None => put_group(contents, &[first]),
                }
            }
            None if !self.further.is_empty() => put_group(contents, &[0]),
            None => {}
        }
        contents.put_slice(&self.further);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(octets: &[u8], value: &TerminalCapability) {
        assert_eq!(TerminalCapability::parse(octets).as_ref(), Ok(value));
        let mut written = BytesMut::new();
        value.emit(&mut written);
        assert_eq!(written, octets);
    }

    #[test]
    fn a_usual_telephone() {
        let telephone = TerminalCapability::gap_telephone();
        check(&[0x35, 0x15, 0x08, 0x00, 0x40, 0x04, 0x10, 0x81, 0x82, 0x82], &telephone);
        assert!(telephone.supports_gap() && !telephone.supports_dsaa2() && !telephone.supports_wideband());
        let wideband = TerminalCapability {
            profiles: Octets::cut(&[2, 0, 0, 0, 0, 0x12]),
            control: Some(ControlCapability {
                dsaa2: true,
                dsc2: false,
                codes: ControlCodes::Clear,
                character_sets: Some(1),
            }),
            further: Octets::cut(&[0xaa]),
            ..telephone
        };
        check(&[0x35, 0x15, 8, 0, 0x40, 4, 0x10, 0x81, 2, 0, 0, 0, 0, 0x92, 0x41, 0x81, 0xaa], &wideband);
        assert!(
            wideband.supports_wideband() && wideband.supports_early_encryption() && wideband.supports_dsaa2()
        );
    }

    #[test]
    fn groups_may_end_early() {
        let short = TerminalCapability::parse(&[0xb5]).unwrap();
        assert_eq!((short.echo, short.lines, short.control), (None, None, None));
        check(&[0xb5], &short);
        check(&[0xb5, 0x82], &TerminalCapability { profiles: Octets::cut(&[2]), ..short });
    }
}
