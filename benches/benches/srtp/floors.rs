//! The arithmetic of a packet and nothing else: no header is read, no index kept, no tag written or compared.

#[cfg(target_arch = "x86_64")]
pub(crate) use wide::{galois, one, sixteen};

/// Sixteen packets of AES_CM_128_HMAC_SHA1_80, and one of AEAD_AES_128_GCM, in 512-bit registers.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "functions for certain processors")]
mod wide {
    use core::arch::x86_64::{
        __m512i, _mm_add_epi32, _mm_set1_epi32, _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32,
        _mm_sha1rnds4_epu32, _mm_xor_si128, _mm512_add_epi32, _mm512_aesenc_epi128, _mm512_clmulepi64_epi128,
        _mm512_rol_epi32, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_ternarylogic_epi32,
        _mm512_ternarylogic_epi64, _mm512_xor_si512,
    };
    use std::hint::black_box;

    /// Whether this processor can.
    fn available() -> bool {
        ["avx512f", "avx512bw", "vaes", "vpclmulqdq"].iter().all(|feature| match *feature {
            "avx512f" => is_x86_feature_detected!("avx512f"),
            "avx512bw" => is_x86_feature_detected!("avx512bw"),
            "vaes" => is_x86_feature_detected!("vaes"),
            _ => is_x86_feature_detected!("vpclmulqdq"),
        })
    }

    /// Key streams and hash blocks of sixteen packets of so many octets; false if this processor cannot.
    pub(crate) fn sixteen(size: usize) -> bool {
        if !available() {
            return false;
        }
        for _ in 0..16 {
            // SAFETY: the processor has what the function asks for.
            unsafe { keystream((size - 12).div_ceil(64)) };
        }
        // SAFETY: as above.
        unsafe { hash((size + 4 + 9).div_ceil(64) + 1) };
        true
    }

    /// Key stream and hash blocks of one packet of so many octets; false if this processor cannot.
    pub(crate) fn one(size: usize) -> bool {
        if !available() || !is_x86_feature_detected!("sha") {
            return false;
        }
        // SAFETY: the processor has what the functions ask for.
        unsafe {
            keystream((size - 12).div_ceil(64));
            chain((size + 4 + 9).div_ceil(64) + 1);
        }
        true
    }

    /// The rounds of SHA-1 over so many blocks of one message, words ready in registers: each four rounds wait for those before.
    #[target_feature(enable = "sha,sse2")]
    fn chain(blocks: usize) {
        let mut state = black_box(_mm_set1_epi32(3));
        let mut fifth = state;
        let mut words = [black_box(_mm_set1_epi32(5)); 4];
        for _ in 0..blocks {
            let (before, mut rounds_ago) = (state, fifth);
            macro_rules! twenty {
                ($from:literal, $function:literal) => {
                    for group in $from..$from + 5 {
                        let with_words = _mm_sha1nexte_epu32(rounds_ago, words[group % 4]);
                        rounds_ago = state;
                        state = _mm_sha1rnds4_epu32::<$function>(state, with_words);
                        let next = _mm_sha1msg1_epu32(words[group % 4], words[(group + 1) % 4]);
                        let next = _mm_xor_si128(next, words[(group + 2) % 4]);
                        words[group % 4] = _mm_sha1msg2_epu32(next, words[(group + 3) % 4]);
                    }
                };
            }
            twenty!(0, 0);
            twenty!(5, 1);
            twenty!(10, 2);
            twenty!(15, 3);
            (state, fifth) = (_mm_add_epi32(state, before), rounds_ago);
        }
        black_box((state, fifth));
    }

    /// Key stream and products of a packet of so many octets; false if this processor cannot.
    pub(crate) fn galois(size: usize) -> bool {
        if !available() {
            return false;
        }
        let blocks = (size - 12).div_ceil(16) + 1;
        // SAFETY: the processor has what the functions ask for.
        unsafe {
            keystream(blocks.div_ceil(4));
            products(blocks.div_ceil(4) + 1);
        }
        true
    }

    #[target_feature(enable = "avx512f,vaes")]
    fn keystream(registers: usize) {
        let key = black_box(_mm512_set1_epi32(7));
        let mut left = registers;
        while left > 0 {
            let mut state = [black_box(_mm512_set1_epi32(left as i32)); 4];
            for _ in 0..10 {
                // The compiler may not know that the keys are alike.
                for state in state.iter_mut().take(left) {
                    *state = _mm512_aesenc_epi128(*state, key);
                }
            }
            black_box(state);
            left = left.saturating_sub(4);
        }
    }

    #[target_feature(enable = "avx512f,vpclmulqdq")]
    fn products(registers: usize) {
        let power = black_box(_mm512_set1_epi32(9));
        let mut sums = [_mm512_setzero_si512(); 3];
        for at in 0..registers {
            let block = black_box(_mm512_set1_epi32(at as i32));
            sums[0] = _mm512_xor_si512(sums[0], _mm512_clmulepi64_epi128::<0x00>(block, power));
            sums[1] = _mm512_xor_si512(sums[1], _mm512_clmulepi64_epi128::<0x11>(block, power));
            let cross = _mm512_clmulepi64_epi128::<0x01>(block, power);
            sums[2] = _mm512_ternarylogic_epi64::<0x96>(
                sums[2],
                cross,
                _mm512_clmulepi64_epi128::<0x10>(block, power),
            );
        }
        black_box(sums);
    }

    /// The rounds of SHA-1 over so many blocks of sixteen messages, words ready in registers.
    #[target_feature(enable = "avx512f")]
    fn hash(blocks: usize) {
        let mut state = [black_box(_mm512_set1_epi32(3)); 5];
        let mut words = [black_box(_mm512_set1_epi32(5)); 16];
        for _ in 0..blocks {
            let before = state;
            rounds::<0xca>(&mut state, &mut words, 0);
            rounds::<0x96>(&mut state, &mut words, 20);
            rounds::<0xe8>(&mut state, &mut words, 40);
            rounds::<0x96>(&mut state, &mut words, 60);
            for (state, before) in state.iter_mut().zip(before) {
                *state = _mm512_add_epi32(*state, before);
            }
        }
        black_box(state);
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn rounds<const LOGIC: i32>(state: &mut [__m512i; 5], w: &mut [__m512i; 16], from: usize) {
        let constant = _mm512_set1_epi32(0x5a82_7999 + from as i32);
        for t in from..from + 20 {
            if t >= 16 {
                let sum =
                    _mm512_ternarylogic_epi32::<0x96>(w[(t + 13) & 15], w[(t + 8) & 15], w[(t + 2) & 15]);
                w[t & 15] = _mm512_rol_epi32::<1>(_mm512_xor_si512(sum, w[t & 15]));
            }
            let f = _mm512_ternarylogic_epi32::<LOGIC>(state[1], state[2], state[3]);
            let sum = _mm512_add_epi32(_mm512_add_epi32(state[4], w[t & 15]), constant);
            let sum = _mm512_add_epi32(_mm512_add_epi32(sum, f), _mm512_rol_epi32::<5>(state[0]));
            *state = [sum, state[0], _mm512_rol_epi32::<30>(state[1]), state[2], state[3]];
        }
    }
}
