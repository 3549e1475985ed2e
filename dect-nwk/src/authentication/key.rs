//! Keys of the authentication processes and how they are made from codes.

use std::{fmt, str::FromStr};

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{Error, Rule};

macro_rules! secret {
    ($(#[$meta:meta])* $name:ident($length:literal)) => {
        $(#[$meta])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; $length]);

        impl $name {
            /// The key made of these octets, most significant first.
            ///
            /// EN 300 175-7 4.5
            pub const fn new(octets: [u8; $length]) -> Self {
                Self(octets)
            }

            /// Its octets, most significant first.
            ///
            /// EN 300 175-7 4.5
            pub const fn octets(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                equal(&self.0, &other.0)
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

secret! {
    /// A key of 128 bits: authentication key K, user authentication key, session key.
    ///
    /// EN 300 175-7 4.5
    Key128(16)
}

secret! {
    /// A key of 64 bits: the derived cipher key of the DSAA and the key of the standard cipher.
    ///
    /// EN 300 175-7 4.5
    CipherKey(8)
}

secret! {
    /// The code with which a user subscribes a portable part.
    ///
    /// EN 300 175-7 4.5.2.3
    AuthenticationCode(4)
}

secret! {
    /// The code by which a user (not only the portable part) is authenticated.
    ///
    /// EN 300 175-7 4.5.2.2
    UserPersonalIdentity(4)
}

/// Compares secret or received octets in a time that does not tell where they differ.
///
/// EN 300 175-7 4.3
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Up to eight decimal digits as binary coded decimals, filled with `F` on the left.
fn from_digits(pin: &str) -> Result<[u8; 4], Error> {
    if pin.is_empty() || pin.len() > 8 {
        return Err(Error::Value(Rule::DigitCount));
    }
    let packed = pin.chars().try_fold(u32::MAX, |packed, character| {
        let digit = character.to_digit(10).ok_or(Error::Value(Rule::Digit))?;
        Ok::<_, Error>(packed << 4 | digit)
    })?;
    Ok(packed.to_be_bytes())
}

impl AuthenticationCode {
    /// The code for a PIN of up to eight decimal digits.
    ///
    /// EN 300 175-7 4.5.2.3
    pub fn from_pin(pin: &str) -> Result<Self, Error> {
        from_digits(pin).map(Self)
    }

    /// Process B1: the authentication key K by repetition of the code.
    ///
    /// EN 300 175-7 B.1
    pub fn b1(&self) -> Key128 {
        Key128(std::array::from_fn(|index| self.0[index % 4]))
    }
}

impl FromStr for AuthenticationCode {
    type Err = Error;

    fn from_str(pin: &str) -> Result<Self, Error> {
        Self::from_pin(pin)
    }
}

impl UserPersonalIdentity {
    /// The identity for a PIN of up to eight decimal digits.
    ///
    /// EN 300 175-7 4.5.2.2
    pub fn from_pin(pin: &str) -> Result<Self, Error> {
        from_digits(pin).map(Self)
    }
}

impl Key128 {
    /// Process B1: the authentication key K from a user authentication key, which has its length already.
    ///
    /// EN 300 175-7 B.1
    #[must_use]
    pub fn b1(&self) -> Self {
        self.clone()
    }

    /// Process B2: the authentication key K from a user authentication key and the user's personal identity.
    ///
    /// EN 300 175-7 B.2
    #[must_use]
    pub fn b2(&self, identity: &UserPersonalIdentity) -> Self {
        Self(std::array::from_fn(|index| self.0[index] ^ identity.0[index % 4]))
    }
}

impl CipherKey {
    /// The derived cipher key in the octet order in which the standard cipher takes it.
    ///
    /// EN 300 175-7 annex K
    #[must_use]
    pub fn for_dsc(&self) -> Self {
        let mut octets = self.0;
        octets.reverse();
        Self(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_filled_with_f_and_repeated() {
        let code = AuthenticationCode::from_pin("1234").unwrap();
        assert_eq!(code.octets(), &[0xff, 0xff, 0x12, 0x34]);
        assert_eq!(code.b1().octets()[..8], [0xff, 0xff, 0x12, 0x34, 0xff, 0xff, 0x12, 0x34]);
        assert_eq!(AuthenticationCode::from_pin("12345678").unwrap().octets(), &[0x12, 0x34, 0x56, 0x78]);
        for (pin, rule) in [("", Rule::DigitCount), ("123456789", Rule::DigitCount), ("12a4", Rule::Digit)] {
            assert_eq!(AuthenticationCode::from_pin(pin), Err(Error::Value(rule)));
        }
    }

    #[test]
    fn keys_do_not_show_themselves() {
        assert_eq!(format!("{:?}", Key128::new([7; 16])), "Key128(…)");
        assert_eq!(Key128::new([7; 16]), Key128::new([7; 16]));
        assert_ne!(Key128::new([7; 16]), Key128::new([8; 16]));
    }
}
