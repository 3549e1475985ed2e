//! Galois/counter mode, four blocks in each 512-bit register.

use core::arch::asm;
use core::arch::x86_64::{
    __m128i, __m512i, _mm_clmulepi64_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8,
    _mm_set_epi64x, _mm_set1_epi64x, _mm_shuffle_epi32, _mm_storeu_si128, _mm_xor_si128,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_storeu_si256,
    _mm256_xor_si256, _mm512_add_epi32, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4, _mm512_castsi512_si128, _mm512_castsi512_si256, _mm512_clmulepi64_epi128,
    _mm512_extracti32x4_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_mask_broadcast_i32x4,
    _mm512_mask_set1_epi32, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_maskz_loadu_epi64,
    _mm512_maskz_mov_epi8, _mm512_maskz_set1_epi32, _mm512_set_epi32, _mm512_set4_epi32,
    _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_storeu_si512, _mm512_ternarylogic_epi64,
    _mm512_xor_si512, _mm512_zextsi128_si512, _mm512_zextsi256_si512,
};

use super::clmul::value;
use super::{Tag, aes, aes_wide};
use crate::authentication::equal;
use crate::cipher::{BLOCK, RoundKey};
use crate::galois::{GROUP, Powers};

/// Octets of a register.
const REGISTER: usize = 64;
/// Blocks of a register.
const LANES: usize = 4;

/// The sum of products so far: lower, middle and upper parts.
struct Sum {
    low: __m512i,
    middle: __m512i,
    high: __m512i,
}

/// A bit for each of up to 64 octets.
#[inline]
fn mask_of(octets: &[u8]) -> u64 {
    u64::MAX.checked_shr((REGISTER - octets.len().min(REGISTER)) as u32).unwrap_or_default()
}

/// Up to 64 octets, zeros behind them. What was stored through a mask cannot be loaded at once: the usual lengths have none.
#[target_feature(enable = "avx512f,avx512bw,avx2,sse2")]
#[inline]
fn load(octets: &[u8]) -> __m512i {
    // SAFETY: each load covers as many octets as the slice has; the mask has a bit for each of its first 64 and none beyond.
    unsafe {
        let from = octets.as_ptr();
        match octets.len() {
            64 => _mm512_loadu_si512(from.cast()),
            32 => _mm512_zextsi256_si512(_mm256_loadu_si256(from.cast())),
            16 => _mm512_zextsi128_si512(_mm_loadu_si128(from.cast())),
            _ => _mm512_maskz_loadu_epi8(mask_of(octets), from.cast()),
        }
    }
}

/// The first octets of a register, as many as there is room for.
#[target_feature(enable = "avx512f,avx512bw,avx2,sse2")]
#[inline]
fn store(octets: &mut [u8], register: __m512i) {
    // SAFETY: each store covers as many octets as the slice has; the mask has a bit for each of its first 64 and none beyond.
    unsafe {
        let to = octets.as_mut_ptr();
        match octets.len() {
            64 => _mm512_storeu_si512(to.cast(), register),
            32 => _mm256_storeu_si256(to.cast(), _mm512_castsi512_si256(register)),
            16 => _mm_storeu_si128(to.cast(), _mm512_castsi512_si128(register)),
            _ => _mm512_mask_storeu_epi8(to.cast(), mask_of(octets), register),
        }
    }
}

#[target_feature(enable = "sse2")]
#[inline]
fn tag_of(register: __m128i) -> Tag {
    let mut tag = Tag::default();
    // SAFETY: the tag has 16 octets; the store asks for no alignment.
    unsafe { _mm_storeu_si128(tag.as_mut_ptr().cast(), register) };
    tag
}

/// Octets to numbers and back: the first octet of a block is the most significant.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn swapped(blocks: __m512i) -> __m512i {
    let order = _mm512_set4_epi32(0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f);
    _mm512_shuffle_epi8(blocks, order)
}

/// The covered octets of a packet. A plain header was just written, field by field: read it the same way, as a whole it would
/// have to wait.
#[target_feature(enable = "avx512f,avx512bw,avx2,sse2")]
#[inline]
fn header(head: &[u8]) -> __m512i {
    let Some((&[f0, f1, ref sequence @ .., t0, t1, t2, t3, c0, c1, c2, c3], [])) =
        head.split_first_chunk::<12>()
    else {
        return swapped(load(head));
    };
    // SAFETY: the reference covers two octets; the read asks for no alignment. The compiler must not make it part of a longer one.
    let sequence = u16::from_be_bytes(unsafe { core::ptr::read_volatile::<[u8; 2]>(sequence) });
    let first = u16::from_be_bytes([f0, f1]);
    let (time, source) = (u32::from_be_bytes([t0, t1, t2, t3]), u32::from_be_bytes([c0, c1, c2, c3]));
    let high = (u64::from(first) << 48) | (u64::from(sequence) << 32) | u64::from(time);
    let low = u64::from(source) << 32;
    _mm512_zextsi128_si512(_mm_set_epi64x(high as i64, low as i64))
}

/// Powers of the hash key from an exponent downwards, for so many lanes.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn powers_from(powers: &Powers, exponent: usize, lanes: usize) -> __m512i {
    let powers = &powers.0[GROUP - exponent..][..lanes];
    let mask = ((1_u16 << (2 * lanes)) - 1) as u8;
    // SAFETY: the mask has two bits for each power of the slice and none beyond.
    unsafe { _mm512_maskz_loadu_epi64(mask, powers.as_ptr().cast()) }
}

impl Sum {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn new() -> Self {
        let zero = _mm512_setzero_si512();
        Self { low: zero, middle: zero, high: zero }
    }

    #[target_feature(enable = "avx512f,vpclmulqdq")]
    #[inline]
    fn add(&mut self, blocks: __m512i, powers: __m512i) {
        self.low = _mm512_xor_si512(self.low, _mm512_clmulepi64_epi128::<0x00>(blocks, powers));
        self.high = _mm512_xor_si512(self.high, _mm512_clmulepi64_epi128::<0x11>(blocks, powers));
        self.middle = _mm512_ternarylogic_epi64::<0x96>(
            self.middle,
            _mm512_clmulepi64_epi128::<0x01>(blocks, powers),
            _mm512_clmulepi64_epi128::<0x10>(blocks, powers),
        );
    }

    /// The remainder of the whole sum.
    #[target_feature(enable = "avx512f,avx2,pclmulqdq,sse2")]
    #[inline]
    fn reduced(&self) -> __m128i {
        let (low, middle, high) = (folded(self.low), folded(self.middle), folded(self.high));
        let polynomial = _mm_set1_epi64x(0xc200_0000_0000_0000_u64 as i64);
        let fold = |from: __m128i, to: __m128i| {
            let swapped = _mm_shuffle_epi32::<0x4e>(from);
            _mm_xor_si128(_mm_xor_si128(to, swapped), _mm_clmulepi64_si128::<0x00>(from, polynomial))
        };
        fold(fold(low, middle), high)
    }
}

/// The sum of the four lanes.
#[target_feature(enable = "avx512f,avx2")]
#[inline]
fn folded(register: __m512i) -> __m128i {
    let half = _mm256_xor_si256(_mm512_castsi512_si256(register), _mm512_extracti64x4_epi64::<1>(register));
    _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
}

/// Puts a block into a lane, numbered from the first.
#[target_feature(enable = "avx512f")]
#[inline]
fn with_block(register: __m512i, lane: usize, block: __m128i) -> __m512i {
    _mm512_mask_broadcast_i32x4(register, 0xf << (4 * lane), block)
}

/// Numbers of octets, in bits, as the last block has them.
#[target_feature(enable = "sse2")]
#[inline]
fn lengths(head: &[u8], data: &[u8]) -> __m128i {
    _mm_set_epi64x((head.len() as i64) << 3, (data.len() as i64) << 3)
}

/// The hash of covered octets and ciphertext, of any length.
#[target_feature(enable = "avx512f,avx512bw,avx2,vpclmulqdq,pclmulqdq,sse2")]
fn hash(powers: &Powers, head: &[u8], data: &[u8]) -> __m128i {
    let mut state = Sum::new().reduced();
    for part in [head, data] {
        for group in part.chunks(GROUP * BLOCK) {
            let mut exponent = group.len().div_ceil(BLOCK);
            let mut sum = Sum::new();
            let mut before = _mm512_zextsi128_si512(state);
            for octets in group.chunks(REGISTER) {
                let lanes = exponent.min(LANES);
                let blocks = _mm512_xor_si512(swapped(load(octets)), before);
                sum.add(blocks, powers_from(powers, exponent, lanes));
                exponent -= lanes;
                before = _mm512_setzero_si512();
            }
            state = sum.reduced();
        }
    }
    let mut sum = Sum::new();
    let last = _mm_xor_si128(state, lengths(head, data));
    sum.add(_mm512_zextsi128_si512(last), powers_from(powers, 1, 1));
    sum.reduced()
}

/// The key stream of a short packet; the last lane of the last register has the block that masks the tag.
#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
#[inline]
fn streams<const N: usize, const R: usize>(keys: &[RoundKey; R], whitened: u128) -> [__m512i; N] {
    let vector = _mm512_broadcast_i32x4(aes::load(&whitened.to_be_bytes()));
    let order = _mm512_set4_epi32(0x0c0d_0e0f, 0x0b0a_0908, 0x0706_0504, 0x0302_0100);
    let mut numbers = _mm512_set_epi32(5, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0);
    let mut state = [_mm512_setzero_si512(); N];
    for (at, state) in state.iter_mut().enumerate() {
        if at + 1 == N {
            numbers = _mm512_mask_set1_epi32(numbers, 1 << 15, 1);
        }
        *state = _mm512_xor_si512(vector, _mm512_shuffle_epi8(numbers, order));
        numbers = _mm512_add_epi32(numbers, _mm512_maskz_set1_epi32(0x8888, LANES as i32));
    }
    for key in &keys[..R - 1] {
        let key = _mm512_broadcast_i32x4(aes::load_key(key));
        for state in &mut state {
            *state = _mm512_aesenc_epi128(*state, key);
        }
    }
    let last = _mm512_broadcast_i32x4(aes::load_key(&keys[R - 1]));
    for state in &mut state {
        *state = _mm512_aesenclast_epi128(*state, last);
    }
    state
}

/// The compiler would put rounds behind the question whose answer decides about the use of their result, one register after the
/// other.
#[target_feature(enable = "avx512f")]
#[inline]
fn computed_here(register: &mut __m512i) {
    // SAFETY: there is no instruction, and the register stays as it is.
    unsafe { asm!("/* {0} */", inout(zmm_reg) * register, options(nomem, nostack, preserves_flags)) };
}

/// A packet of speech: all blocks in `N` registers, all products summed before one reduction.
struct Short<'a, const N: usize, const R: usize> {
    head: &'a [u8],
    powers: &'a Powers,
    streams: [__m512i; N],
}

impl<const N: usize, const R: usize> Short<'_, N, R> {
    /// The tag of the ciphertext that stands in the registers.
    #[target_feature(enable = "avx512f,avx512bw,avx2,vpclmulqdq,pclmulqdq,sse2")]
    #[inline]
    fn tag<const OPENING: bool>(&self, ciphertext: &[__m512i; N], data: &[u8]) -> __m128i {
        let head = self.head;
        let covered = head.len().div_ceil(BLOCK);
        let mut left = covered + data.len().div_ceil(BLOCK) + 1;
        let mut sum = Sum::new();
        sum.add(header(head), powers_from(self.powers, left, covered));
        left -= covered;
        for (at, register) in ciphertext.iter().enumerate() {
            let mut blocks = swapped(*register);
            if at + 1 == N {
                // There is a lane for it: of the last register one was the mask's.
                blocks = with_block(blocks, left - 1, lengths(head, data));
            }
            let lanes = left.min(LANES);
            sum.add(blocks, powers_from(self.powers, left, lanes));
            left -= lanes;
        }
        let hash = _mm512_castsi512_si128(swapped(_mm512_zextsi128_si512(sum.reduced())));
        _mm_xor_si128(hash, _mm512_extracti32x4_epi32::<3>(self.streams[N - 1]))
    }

    /// Whole registers and the rest, if there are as many as usual: the last register is the only one that is not full. Nothing
    /// between the registers asks for the length then, and the compiler cannot put the rounds of the later ones behind the
    /// question, one after the other.
    #[inline]
    fn parts(data: &mut [u8]) -> Option<(&mut [[u8; REGISTER]], &mut [u8])> {
        let (whole, rest) = data.as_chunks_mut();
        (whole.len() == N - 1).then_some((whole, rest))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx2,vpclmulqdq,pclmulqdq,sse2")]
    #[inline]
    fn seal(&self, data: &mut [u8]) -> Tag {
        let mut ciphertext = [_mm512_setzero_si512(); N];
        if let Some((whole, rest)) = Self::parts(data) {
            for at in 0..N - 1 {
                ciphertext[at] = _mm512_xor_si512(load(&whole[at]), self.streams[at]);
                store(&mut whole[at], ciphertext[at]);
            }
            let last = _mm512_xor_si512(load(rest), self.streams[N - 1]);
            store(rest, last);
            ciphertext[N - 1] = _mm512_maskz_mov_epi8(mask_of(rest), last);
        } else {
            let parts = data.chunks_mut(REGISTER).zip(&self.streams).zip(&mut ciphertext);
            for ((octets, stream), ciphertext) in parts {
                *ciphertext = _mm512_maskz_mov_epi8(mask_of(octets), _mm512_xor_si512(load(octets), *stream));
                store(octets, *ciphertext);
            }
        }
        tag_of(self.tag::<false>(&ciphertext, data))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx2,vpclmulqdq,pclmulqdq,sse2")]
    #[inline]
    fn open(&mut self, data: &mut [u8], tag: &Tag) -> bool {
        for stream in &mut self.streams {
            computed_here(stream);
        }
        let mut ciphertext = [_mm512_setzero_si512(); N];
        if let Some((whole, rest)) = Self::parts(data) {
            for at in 0..N - 1 {
                ciphertext[at] = load(&whole[at]);
            }
            ciphertext[N - 1] = load(rest);
        } else {
            for (octets, ciphertext) in data.chunks(REGISTER).zip(&mut ciphertext) {
                *ciphertext = load(octets);
            }
        }
        // All octets at once: how many agree does not show in the time.
        let agreement = _mm_cmpeq_epi8(self.tag::<true>(&ciphertext, data), aes::load(tag));
        let right = _mm_movemask_epi8(agreement) == 0xffff;
        if right {
            if let Some((whole, rest)) = Self::parts(data) {
                for at in 0..N - 1 {
                    store(&mut whole[at], _mm512_xor_si512(ciphertext[at], self.streams[at]));
                }
                store(rest, _mm512_xor_si512(ciphertext[N - 1], self.streams[N - 1]));
            } else {
                let parts = data.chunks_mut(REGISTER).zip(&self.streams).zip(&ciphertext);
                for ((octets, stream), ciphertext) in parts {
                    store(octets, _mm512_xor_si512(*ciphertext, *stream));
                }
            }
        }
        right
    }
}

/// Calls a function with a [`Short`] if the packet is one.
macro_rules! if_short {
    ($keys:ident, $powers:ident, $whitened:ident, $head:ident, $data:ident, $short:pat => $done:expr) => {{
        let blocks = $data.len().div_ceil(BLOCK);
        let covered = $head.len().div_ceil(BLOCK);
        if covered <= LANES && covered + blocks < GROUP {
            macro_rules! sized {
                ($n:literal, $r:literal) => {
                    if let Some((keys, [])) = $keys.split_first_chunk::<$r>() {
                        let streams = streams::<$n, $r>(keys, $whitened);
                        let $short = Short::<$n, $r> { head: $head, powers: $powers, streams };
                        return $done;
                    }
                };
            }
            match blocks / LANES {
                0 => {
                    sized!(1, 10);
                    sized!(1, 14);
                }
                1 => {
                    sized!(2, 10);
                    sized!(2, 14);
                }
                _ => {
                    sized!(3, 10);
                    sized!(3, 14);
                }
            }
        }
    }};
}

/// Encrypts and returns the tag. What a packet is sealed with comes in registers: a structure would be waited for.
///
/// NIST SP 800-38D 7.1
#[target_feature(enable = "avx512f,avx512bw,avx2,vaes,aes,vpclmulqdq,pclmulqdq,sse2")]
pub(super) fn seal(keys: &[RoundKey], powers: &Powers, whitened: u128, head: &[u8], data: &mut [u8]) -> Tag {
    if_short!(keys, powers, whitened, head, data, short => short.seal(data));
    let mask = aes::encrypt_block(keys, whitened ^ 1);
    aes_wide::counter_mode(keys, whitened, 2, data);
    (value(hash(powers, head, data)) ^ mask).to_be_bytes()
}

/// Checks a tag, and decrypts if it is right.
///
/// NIST SP 800-38D 7.2
#[target_feature(enable = "avx512f,avx512bw,avx2,vaes,aes,vpclmulqdq,pclmulqdq,sse2")]
pub(super) fn open(
    keys: &[RoundKey],
    powers: &Powers,
    whitened: u128,
    head: &[u8],
    data: &mut [u8],
    tag: &Tag,
) -> bool {
    if_short!(keys, powers, whitened, head, data, mut short => short.open(data, tag));
    let mask = aes::encrypt_block(keys, whitened ^ 1);
    let right = equal(value(hash(powers, head, data)) ^ mask, u128::from_be_bytes(*tag));
    if right {
        aes_wide::counter_mode(keys, whitened, 2, data);
    }
    right
}
