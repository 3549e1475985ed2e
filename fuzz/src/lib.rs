//! Harnesses that feed arbitrary input to every parser and machine: see `tests/` of this package. Under `cargo test` they run
//! bounded; `cargo xtask fuzz` lets them run longer. This library is empty.
#![forbid(unsafe_code)]
