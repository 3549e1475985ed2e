//! The arithmetic of authentication and key allocation, the same for both sides and both algorithms.

use crate::authentication::{CipherKey, Key128, dsaa, dsaa2};
use crate::element::{AuthenticationAlgorithm, Rs};
use crate::seed::Generator;

/// The standard algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    Dsaa,
    Dsaa2,
}

/// The number under which user authentication key, authentication code and cipher key are known: the first one that
/// belongs to the pair of portable and fixed part.
pub(crate) const KEY_NUMBER: u8 = 8;

impl Algorithm {
    pub(crate) const fn element(self) -> AuthenticationAlgorithm {
        match self {
            Self::Dsaa => AuthenticationAlgorithm::Dsaa,
            Self::Dsaa2 => AuthenticationAlgorithm::Dsaa2,
        }
    }

    pub(crate) const fn from_element(element: AuthenticationAlgorithm) -> Option<Self> {
        match element {
            AuthenticationAlgorithm::Dsaa => Some(Self::Dsaa),
            AuthenticationAlgorithm::Dsaa2 => Some(Self::Dsaa2),
            AuthenticationAlgorithm::Gsm
            | AuthenticationAlgorithm::Umts
            | AuthenticationAlgorithm::Proprietary
            | AuthenticationAlgorithm::Reserved(_) => None,
        }
    }

    /// A new session value of the length of the algorithm.
    pub(crate) fn session_value(self, generator: &mut Generator) -> Rs {
        match self {
            Self::Dsaa => Rs::Rs64(generator.octets()),
            Self::Dsaa2 => Rs::Rs128(generator.octets()),
        }
    }

    /// The proof of the portable part, RES1, and the cipher key derived with it; nothing where the session value has
    /// the wrong length for the algorithm.
    pub(crate) fn portable_proof(
        self,
        key: &Key128,
        rs: Rs,
        rand_f: [u8; 8],
        rand_p: [u8; 8],
    ) -> Option<([u8; 4], CipherKey)> {
        match (self, rs) {
            (Self::Dsaa, Rs::Rs64(rs)) => Some(dsaa::a12(&dsaa::a11(key, rs), rand_f)),
            (Self::Dsaa2, Rs::Rs128(rs)) => {
                let (res1, derived) = dsaa2::a12(&dsaa2::a11(key, rs), rand_f, rand_p);
                Some((res1, cipher_key_of_64_bits(&derived)))
            }
            (Self::Dsaa, Rs::Rs128(_) | Rs::Rs48(_)) | (Self::Dsaa2, Rs::Rs64(_) | Rs::Rs48(_)) => None,
        }
    }

    /// The proof of the fixed part, RES2, and KS', which becomes the user authentication key in a key allocation.
    pub(crate) fn fixed_proof(
        self,
        key: &Key128,
        rs: Rs,
        rand_p: [u8; 8],
        rand_f: [u8; 8],
    ) -> Option<([u8; 4], Key128)> {
        match (self, rs) {
            (Self::Dsaa, Rs::Rs64(rs)) => {
                let reverse = dsaa::a21(key, rs);
                Some((dsaa::a22(&reverse, rand_p), reverse))
            }
            (Self::Dsaa2, Rs::Rs128(rs)) => {
                let reverse = dsaa2::a21(key, rs);
                Some((dsaa2::a22(&reverse, rand_p, rand_f), reverse))
            }
            (Self::Dsaa, Rs::Rs128(_) | Rs::Rs48(_)) | (Self::Dsaa2, Rs::Rs64(_) | Rs::Rs48(_)) => None,
        }
    }
}

/// The standard cipher takes 64 bits; of the longer key of DSAA2 it gets the least significant ones (inferred).
fn cipher_key_of_64_bits(derived: &Key128) -> CipherKey {
    let mut octets = [0; 8];
    octets.copy_from_slice(&derived.octets()[8..]);
    CipherKey::new(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 16] = [0x11; 16];

    #[test]
    fn both_sides_compute_the_same_proofs_and_another_key_computes_others() {
        for (algorithm, rs) in [(Algorithm::Dsaa, Rs::Rs64([3; 8])), (Algorithm::Dsaa2, Rs::Rs128([3; 16]))] {
            let key = Key128::new(KEY);
            let (res1, _) = algorithm.portable_proof(&key, rs, [1; 8], [2; 8]).unwrap();
            let (res2, reverse) = algorithm.fixed_proof(&key, rs, [2; 8], [1; 8]).unwrap();
            let other = Key128::new([0x12; 16]);
            assert_ne!(algorithm.portable_proof(&other, rs, [1; 8], [2; 8]).unwrap().0, res1);
            assert_ne!(algorithm.fixed_proof(&other, rs, [2; 8], [1; 8]).unwrap(), (res2, reverse));
        }
    }

    #[test]
    fn a_session_value_of_the_other_algorithm_is_refused() {
        let key = Key128::new(KEY);
        assert_eq!(Algorithm::Dsaa.portable_proof(&key, Rs::Rs128([0; 16]), [0; 8], [0; 8]), None);
        assert_eq!(Algorithm::Dsaa2.fixed_proof(&key, Rs::Rs64([0; 8]), [0; 8], [0; 8]), None);
    }
}
