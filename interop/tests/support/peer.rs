//! Small programs over other implementations: compiled from `interop/peers` when a test wants them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of `peers/NAME.c`, compiled against a library.
pub(crate) fn compiled(name: &str, library: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name).with_extension("c");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = directory.join(name);
    // Tests run side by side: each writes its own file and renames it over the last.
    let fresh = directory.join(format!("{name}.{:?}.{}", std::thread::current().id(), std::process::id()));
    let compiler = Command::new("cc").arg("-O2").arg("-o").arg(&fresh).arg(source).arg(library).output();
    let compiler = compiler.expect("a C compiler");
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
    std::fs::rename(&fresh, &program).expect("one directory");
    program
}

/// Numbers that look random and are the same in every run.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit
    }
}
