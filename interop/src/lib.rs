//! Tests against real programs: see `tests/` of this package. They need the feature `peers` and the Debian packages of
//! `peers/packages.txt`, which `cargo xtask test` installs. This library is empty.
#![forbid(unsafe_code)]
