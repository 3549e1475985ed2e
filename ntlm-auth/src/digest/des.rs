//! DES as NTLMv1 and LM use it: keys of seven octets, spread to eight.

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

/// One block; seven bits of the key go into the high bits of each of eight octets.
pub(crate) fn des(key: [u8; 7], block: [u8; 8]) -> [u8; 8] {
    let mut wide = Zeroizing::new([0_u8; 8]);
    let whole = Zeroizing::new(key.iter().fold(0_u64, |whole, octet| whole << 8 | u64::from(*octet)));
    for (at, octet) in wide.iter_mut().enumerate() {
        *octet = ((*whole >> (49 - 7 * at)) as u8) << 1;
    }
    let mut block = block.into();
    Des::new((&*wide).into()).encrypt_block(&mut block);
    block.into()
}

/// DESL: three blocks under the thirds of the key, which zeros fill up to 21 octets.
pub(crate) fn des_long(key: &[u8; 16], block: [u8; 8]) -> [u8; 24] {
    let mut whole = Zeroizing::new([0; 21]);
    whole.iter_mut().zip(key).for_each(|(place, octet)| *place = *octet);
    let mut response = [0; 24];
    let (thirds, _) = whole.as_chunks::<7>();
    for (place, third) in response.as_chunks_mut::<8>().0.iter_mut().zip(thirds) {
        *place = des(*third, block);
    }
    response
}
