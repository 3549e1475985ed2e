//! Builds the shims of peers written in C: `peers/NAME_*.c` with the feature `NAME-peers`. Each says in a comment line
//! `// links: LIBRARY…` what it needs (names of pkg-config).

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=peers");
    let Ok(entries) = fs::read_dir("peers") else { return };
    let mut sources: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    sources.sort();
    for source in sources {
        let Some(stem) =
            source.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".c"))
        else {
            continue;
        };
        let theme = stem.split('_').next().unwrap_or(stem).to_uppercase();
        if env::var_os(format!("CARGO_FEATURE_{theme}_PEERS")).is_some() {
            build(&source, stem);
        }
    }
}

fn build(source: &Path, stem: &str) {
    let text = fs::read_to_string(source).expect("the shim's source");
    let libraries: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("// links: "))
        .flat_map(str::split_whitespace)
        .collect();
    let mut build = cc::Build::new();
    build.file(source).opt_level(2).warnings(false);
    for library in libraries {
        let flags = |what: &str| {
            let output = Command::new("pkg-config").args([what, library]).output().expect("pkg-config");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("flags in UTF-8")
        };
        for flag in flags("--cflags").split_whitespace() {
            build.flag(flag);
        }
        for flag in flags("--libs").split_whitespace() {
            if let Some(library) = flag.strip_prefix("-l") {
                println!("cargo::rustc-link-lib={library}");
            } else if let Some(folder) = flag.strip_prefix("-L") {
                println!("cargo::rustc-link-search={folder}");
            }
        }
    }
    build.compile(stem);
}
