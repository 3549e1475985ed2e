//! A-law and µ-law: 16-bit samples in one octet each.

/// One A-law octet of a linear sample.
///
/// ITU-T G.711 table 1a
#[inline]
pub const fn alaw_encode(sample: i16) -> u8 {
    // The four lowest bits never count.
    ALAW_ENCODED[(sample as u16 >> 4) as usize]
}

/// The linear sample of an A-law octet.
///
/// ITU-T G.711 table 1a
#[inline]
pub const fn alaw_decode(octet: u8) -> i16 {
    ALAW_DECODED[octet as usize]
}

/// One µ-law octet of a linear sample.
///
/// ITU-T G.711 table 2a
#[inline]
pub const fn ulaw_encode(sample: i16) -> u8 {
    // The two lowest bits never count.
    ULAW_ENCODED[(sample as u16 >> 2) as usize]
}

/// The linear sample of a µ-law octet.
///
/// ITU-T G.711 table 2a
#[inline]
pub const fn ulaw_decode(octet: u8) -> i16 {
    ULAW_DECODED[octet as usize]
}

/// Encodes samples as A-law; as many as both sides have.
///
/// ITU-T G.711 table 1a
pub fn encode_alaw(samples: &[i16], octets: &mut [u8]) {
    for (octet, sample) in octets.iter_mut().zip(samples) {
        *octet = alaw_encode(*sample);
    }
}

/// Decodes A-law; as many samples as both sides have.
///
/// ITU-T G.711 table 1a
pub fn decode_alaw(octets: &[u8], samples: &mut [i16]) {
    for (sample, octet) in samples.iter_mut().zip(octets) {
        *sample = alaw_decode(*octet);
    }
}

/// Encodes samples as µ-law; as many as both sides have.
///
/// ITU-T G.711 table 2a
pub fn encode_ulaw(samples: &[i16], octets: &mut [u8]) {
    for (octet, sample) in octets.iter_mut().zip(samples) {
        *octet = ulaw_encode(*sample);
    }
}

/// Decodes µ-law; as many samples as both sides have.
///
/// ITU-T G.711 table 2a
pub fn decode_ulaw(octets: &[u8], samples: &mut [i16]) {
    for (sample, octet) in samples.iter_mut().zip(octets) {
        *sample = ulaw_decode(*octet);
    }
}

static ALAW_ENCODED: [u8; 4096] = {
    let mut table = [0; 4096];
    let mut i = 0;
    while i < table.len() {
        table[i] = alaw_compress((i << 4) as u16 as i16);
        i += 1;
    }
    table
};

static ULAW_ENCODED: [u8; 16384] = {
    let mut table = [0; 16384];
    let mut i = 0;
    while i < table.len() {
        table[i] = ulaw_compress((i << 2) as u16 as i16);
        i += 1;
    }
    table
};

static ALAW_DECODED: [i16; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < table.len() {
        table[i] = alaw_expand(i as u8);
        i += 1;
    }
    table
};

static ULAW_DECODED: [i16; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < table.len() {
        table[i] = ulaw_expand(i as u8);
        i += 1;
    }
    table
};

/// The inversion of even bits that G.711 puts on the line.
const ALAW_EVEN_BITS: u8 = 0x55;

/// Sign, three bits of segment, four bits of interval.
const fn alaw_compress(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0x80 } else { 0 };
    // Decision values of negative samples lie one below those of positive ones.
    let magnitude = (if sample < 0 { !sample } else { sample } >> 4) as u16;
    let segment = (12_u32.saturating_sub(magnitude.leading_zeros())) as u16;
    let interval = if segment > 1 { magnitude >> (segment - 1) } else { magnitude } & 0x0f;
    (sign | (segment << 4) as u8 | interval as u8) ^ ALAW_EVEN_BITS
}

const fn alaw_expand(octet: u8) -> i16 {
    let octet = octet ^ ALAW_EVEN_BITS;
    let segment = octet >> 4 & 7;
    let half_interval = 8;
    let interval = ((octet & 0x0f) as i16) << 4;
    let magnitude = match segment {
        0 => interval + half_interval,
        _ => (interval + half_interval + 0x100) << (segment - 1),
    };
    if octet & 0x80 == 0 { -magnitude } else { magnitude }
}

/// Shifts every segment to begin at a power of two.
const ULAW_BIAS: u16 = 33;
/// The largest biased magnitude.
const ULAW_CLIP: u16 = 0x1fff;

/// Sign, three bits of segment, four bits of interval, all inverted.
const fn ulaw_compress(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let biased = ((if sample < 0 { !sample } else { sample } >> 2) as u16) + ULAW_BIAS;
    let biased = if biased > ULAW_CLIP { ULAW_CLIP } else { biased };
    let segment = 10 - biased.leading_zeros() as u16;
    let interval = biased >> (segment + 1) & 0x0f;
    !(sign | (segment << 4) as u8 | interval as u8)
}

const fn ulaw_expand(octet: u8) -> i16 {
    let octet = !octet;
    let segment = octet >> 4 & 7;
    let interval = ((octet & 0x0f) as i16) << 1;
    let magnitude = (((interval + ULAW_BIAS as i16) << segment) - ULAW_BIAS as i16) << 2;
    if octet & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_survives_decoding_and_encoding() {
        for octet in 0..=255 {
            assert_eq!(alaw_encode(alaw_decode(octet)), octet);
            // Both zeros of µ-law are the sample 0.
            let expected = if octet == 0x7f { 0xff } else { octet };
            assert_eq!(ulaw_encode(ulaw_decode(octet)), expected);
        }
    }

    #[test]
    fn every_sample_lies_in_the_interval_of_its_octet() {
        for sample in i16::MIN..=i16::MAX {
            let octet = alaw_encode(sample);
            let error = i32::from(alaw_decode(octet)).abs_diff(i32::from(sample));
            let segment = u32::from((octet ^ ALAW_EVEN_BITS) >> 4 & 7);
            assert!(error <= 8 << segment.saturating_sub(1), "A-law {sample}");

            let octet = ulaw_encode(sample);
            // Beyond the last decision value everything is the last octet.
            let clipped = i32::from(sample).clamp(-32636, 32635);
            let error = i32::from(ulaw_decode(octet)).abs_diff(clipped);
            assert!(error <= 4 << (!octet >> 4 & 7), "µ-law {sample}");
        }
    }

    #[test]
    fn both_characteristics_rise() {
        for sample in i16::MIN..i16::MAX {
            assert!(alaw_decode(alaw_encode(sample)) <= alaw_decode(alaw_encode(sample + 1)));
            assert!(ulaw_decode(ulaw_encode(sample)) <= ulaw_decode(ulaw_encode(sample + 1)));
        }
    }

    #[test]
    fn the_ends_of_the_scale_are_those_of_the_tables() {
        assert_eq!((alaw_decode(0xaa), alaw_decode(0x2a), alaw_decode(0xd5)), (32256, -32256, 8));
        assert_eq!((ulaw_decode(0x80), ulaw_decode(0x00), ulaw_decode(0xff)), (32124, -32124, 0));
        assert_eq!((alaw_encode(i16::MAX), alaw_encode(i16::MIN)), (0xaa, 0x2a));
        assert_eq!((ulaw_encode(i16::MAX), ulaw_encode(i16::MIN)), (0x80, 0x00));
        assert_eq!((alaw_encode(0), ulaw_encode(0)), (0xd5, 0xff));
    }

    #[test]
    fn slices_are_coded_sample_by_sample() {
        let samples = [0, 100, -100, 30000, -30000];
        let mut octets = [0; 5];
        let mut back = [0; 5];
        encode_alaw(&samples, &mut octets);
        decode_alaw(&octets, &mut back);
        assert_eq!(back, samples.map(|s| alaw_decode(alaw_encode(s))));
        encode_ulaw(&samples, &mut octets);
        decode_ulaw(&octets, &mut back);
        assert_eq!(back, samples.map(|s| ulaw_decode(ulaw_encode(s))));
    }
}
