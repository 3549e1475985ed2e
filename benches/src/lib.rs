//! Benchmarks side by side with the best peers: see `benches/` of this package. This library is empty.
#![forbid(unsafe_code)]
