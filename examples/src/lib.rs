//! Short programs, one for each protocol crate: see `examples/` of this package. This library is empty.
#![forbid(unsafe_code)]
