//! Instance numbers: which publication of which endpoint.

/// The instance numbers of one endpoint's publications. They follow from its epid, so that a restart overwrites what was
/// there before.
///
/// MS-PRES 2.2.2 (instance); the recipe is the one that open-source clients use with real servers
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instances {
    endpoint: u32,
}

impl Instances {
    /// The numbers that follow from an epid: its first eight hexadecimal digits, or a stable sum of any other text.
    ///
    /// MS-PRES 2.2.2 (instance)
    #[must_use]
    pub fn of(epid: &str) -> Self {
        let digits = epid.get(..8).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let endpoint = digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            // FNV-1a: any stable sum does.
            .unwrap_or_else(|| {
                epid.bytes()
                    .fold(0x811c_9dc5, |sum, octet| (sum ^ u32::from(octet)).wrapping_mul(0x0100_0193))
            });
        Self { endpoint }
    }

    /// The numbers of the endpoint whose `device` category has that number.
    pub(crate) fn of_device(instance: u32) -> Self {
        Self { endpoint: instance }
    }

    /// Of the `device` category.
    ///
    /// MS-PRES 2.2.2 (instance)
    #[must_use]
    pub fn device(self) -> u32 {
        self.endpoint
    }

    /// Of the machine state.
    ///
    /// MS-PRES 2.2.2 (instance)
    #[must_use]
    pub fn machine_state(self) -> u32 {
        (self.endpoint >> 4) | 0x3000_0000
    }

    /// Of the phone state.
    ///
    /// MS-PRES 2.2.2 (instance)
    #[must_use]
    pub fn phone_state(self) -> u32 {
        (self.endpoint >> 4) | 0x8000_0000
    }
}

/// Of the user state that lasts until it is changed; all endpoints of a user share it.
///
/// MS-PRES 2.2.2 (instance)
pub const USER_STATE: u32 = 0x2000_0000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_digit_says_what_is_published() {
        let instances = Instances::of("01020304ab");
        assert_eq!(instances.device(), 0x0102_0304);
        assert_eq!(instances.machine_state(), 0x3010_2030);
        assert_eq!(instances.phone_state(), 0x8010_2030);
    }

    #[test]
    fn an_epid_that_is_not_hexadecimal_still_has_stable_and_different_numbers() {
        for epid in ["", "1234", "zzzzzzzzzz", "ääääää", "+1234567", "1234567ä"] {
            assert_eq!(Instances::of(epid), Instances::of(epid));
            assert_eq!(Instances::of(epid).machine_state() >> 28, 3);
        }
        assert_ne!(Instances::of("zzzzzzzzzy"), Instances::of("zzzzzzzzzz"));
    }
}
