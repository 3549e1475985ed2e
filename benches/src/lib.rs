//! Benchmarks side by side with the best peers: the programs are in `benches/` of this package; here is how they measure.
#![forbid(unsafe_code)]

pub mod turns;
