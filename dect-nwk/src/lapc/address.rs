//! The address octet.

/// The address octet of a frame.
///
/// EN 300 175-4 7.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whether the frame establishes a new link.
    pub new_link: bool,
    /// Logical link number (three bits): 0 class U, 1 class A, 2 to 6 class B, 7 unassigned.
    pub logical_link: u8,
    /// Service access point (two bits): 0 connection oriented, 3 connectionless.
    pub service_access_point: u8,
    /// The command/response bit: commands have 0 from the portable and 1 from the fixed part, responses the reverse.
    pub command_response: bool,
}

impl Address {
    /// Reads the octet.
    ///
    /// EN 300 175-4 7.3
    pub const fn from_octet(octet: u8) -> Self {
        Self {
            new_link: octet & 0x80 != 0,
            logical_link: octet >> 4 & 7,
            service_access_point: octet >> 2 & 3,
            command_response: octet & 2 != 0,
        }
    }

    /// The octet.
    ///
    /// EN 300 175-4 7.3
    pub const fn octet(self) -> u8 {
        let new_link = if self.new_link { 0x80 } else { 0 };
        let command_response = if self.command_response { 2 } else { 0 };
        new_link | (self.logical_link & 7) << 4 | (self.service_access_point & 3) << 2 | command_response | 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_octets_lead_back_to_themselves() {
        for octet in 0..=u8::MAX {
            assert_eq!(Address::from_octet(octet).octet(), octet | 1);
        }
    }
}
