//! Lifetime of a master key: the field of the key line, and the counters that enforce it.

use core::fmt;

/// At most 2^48 SRTP packets may be protected with one master key.
///
/// RFC 3711 9.2
pub const SRTP_LIMIT: u64 = 1 << 48;

/// At most 2^31 SRTCP packets may be protected with one master key.
///
/// RFC 3711 9.2
pub const SRTCP_LIMIT: u64 = 1 << 31;

/// The lifetime field of a key: how many packets it may protect. Keeps its text, so that an answer repeats it as it stood.
///
/// RFC 4568 6.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lifetime {
    packets: u64,
    text: Box<str>,
}

impl Lifetime {
    /// What Lync writes: `2^31`.
    ///
    /// MS-SDPEXT 3.1.5.1
    pub fn lync() -> Self {
        Self { packets: SRTCP_LIMIT, text: "2^31".into() }
    }

    /// Reads decimal digits or `2^n`; from 1 to 2^48.
    ///
    /// RFC 4568 6.1
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("2^").unwrap_or(text);
        if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: u64 = digits.parse().ok()?;
        let packets = if digits.len() == text.len() {
            number
        } else {
            1_u64.checked_shl(u32::try_from(number).ok()?)?
        };
        (1..=SRTP_LIMIT).contains(&packets).then(|| Self { packets, text: text.into() })
    }

    /// The number of packets.
    ///
    /// RFC 4568 6.1
    pub const fn packets(&self) -> u64 {
        self.packets
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How near a sender's master key is to its end.
///
/// RFC 3711 9.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyLife {
    /// More than a sixteenth of the lifetime is left.
    Fresh,
    /// Make a new offer now.
    RekeySoon,
    /// Nothing more will be protected with this key.
    Expired,
}

/// Counts the packets of one master key, SRTP and SRTCP apart, in few octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketCounters {
    srtp: Count,
    limit: Count,
    srtcp: [u16; 2],
}

/// A number below 2^48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count([u16; 3]);

impl Count {
    const fn new(number: u64) -> Self {
        Self([number as u16, (number >> 16) as u16, (number >> 32) as u16])
    }

    #[inline]
    const fn get(self) -> u64 {
        let [low, middle, high] = self.0;
        (high as u64) << 32 | (middle as u64) << 16 | low as u64
    }
}

impl PacketCounters {
    pub(crate) fn new(lifetime: Option<&Lifetime>) -> Self {
        let packets = lifetime.map_or(SRTP_LIMIT, Lifetime::packets);
        // Of 2^48 packets the last one is given away: it would not fit its counter.
        Self { srtp: Count::new(0), limit: Count::new(packets.min(SRTP_LIMIT - 1)), srtcp: [0; 2] }
    }

    fn srtcp_limit(self) -> u64 {
        self.limit.get().min(SRTCP_LIMIT)
    }

    #[inline]
    const fn srtcp(self) -> u64 {
        let [low, high] = self.srtcp;
        (high as u64) << 16 | low as u64
    }

    #[inline]
    pub(crate) const fn srtp_expired(self) -> bool {
        self.srtp.get() >= self.limit.get()
    }

    pub(crate) fn srtcp_expired(self) -> bool {
        self.srtcp() >= self.srtcp_limit()
    }

    #[inline]
    pub(crate) const fn count_srtp(&mut self) {
        self.srtp = Count::new(self.srtp.get() + 1);
    }

    pub(crate) const fn count_srtcp(&mut self) {
        let count = self.srtcp() + 1;
        self.srtcp = [count as u16, (count >> 16) as u16];
    }

    /// Counts what may have been protected before.
    pub(crate) fn count_before(&mut self, srtp: u64, srtcp: u64) {
        self.srtp = Count::new((self.srtp.get() + srtp).min(SRTP_LIMIT - 1));
        let srtcp = (self.srtcp() + srtcp).min(SRTCP_LIMIT);
        self.srtcp = [srtcp as u16, (srtcp >> 16) as u16];
    }

    pub(crate) fn life(self) -> KeyLife {
        let of = |used: u64, limit: u64| {
            if used >= limit {
                KeyLife::Expired
            } else if used >= limit - limit / 16 {
                KeyLife::RekeySoon
            } else {
                KeyLife::Fresh
            }
        };
        of(self.srtp.get(), self.limit.get()).max(of(self.srtcp(), self.srtcp_limit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_repeated_as_they_stood() {
        for (text, packets) in
            [("2^31", 1 << 31), ("2^48", 1 << 48), ("2^0", 1), ("1048576", 1 << 20), ("1", 1), ("007", 7)]
        {
            let lifetime = Lifetime::parse(text).expect(text);
            assert_eq!(lifetime.packets(), packets, "{text}");
            assert_eq!(lifetime.to_string(), text);
        }
    }

    #[test]
    fn impossible_lifetimes_are_refused() {
        for text in ["", "0", "2^", "2^49", "2^99", "2^64", "281474976710657", "-1", "2^-1", "1:1", "3^4"] {
            assert_eq!(Lifetime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_notice_comes_before_the_end() {
        let mut counters = PacketCounters::new(Lifetime::parse("32").as_ref());
        for packet in 0..32 {
            let expected = if packet < 30 { KeyLife::Fresh } else { KeyLife::RekeySoon };
            assert_eq!(counters.life(), expected, "{packet}");
            assert!(!counters.srtp_expired());
            counters.count_srtp();
        }
        assert_eq!(counters.life(), KeyLife::Expired);
        assert!(counters.srtp_expired());
        assert!(!counters.srtcp_expired());
    }
}
