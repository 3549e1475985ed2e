//! A network of one's own for a test: loopback, one address 192.0.2.10, a route to nowhere; no port is taken by others.

#![allow(dead_code, reason = "each test uses its part")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a test in a network of its own: the test program starts itself again in there. `true`: we are in it, go on;
/// `false`: the other process has done it, and well.
///
/// # Panics
/// When the test fails in there, or when no such network can be made.
pub(crate) fn of_its_own(test: &str) -> bool {
    if env::var_os(MARK).is_some() {
        return true;
    }
    let program = env::current_exe().expect("the test program");
    let keys = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.keys"));
    let _of_the_last_run = std::fs::remove_file(&keys);
    let status = Command::new("unshare")
        .args(["-n", "sh", "-ec", SETUP, "network"])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .env(KEYS, &keys)
        .status()
        .expect("unshare (Debian package util-linux)");
    assert!(status.success(), "{test}: {status}");
    let _gone = std::fs::remove_file(&keys);
    false
}

/// Where the secrets of TLS connections are written in here, for those who read captures.
pub(crate) fn keys() -> Option<PathBuf> {
    env::var_os(KEYS).map(PathBuf::from)
}

/// Read by rustls and by `peers/openssl_keylog.c`.
const KEYS: &str = "SSLKEYLOGFILE";

const MARK: &str = "INTEROP_NETWORK";
/// Some stacks call a network down that has no default route, and ICE passes loopback over.
const SETUP: &str = "ip link set lo up
ip link add lab0 type veth peer name lab1
ip address add 192.0.2.10/24 dev lab0
ip link set lab0 up
ip link set lab1 up
ip route add default via 192.0.2.1 dev lab0
exec \"$@\"";
