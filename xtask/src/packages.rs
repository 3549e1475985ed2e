//! The Debian packages with the programs that interop tests talk to.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::root;
use crate::step::Step;

/// The list: one package a line, the reason behind `#`.
const LIST: &str = "interop/peers/packages.txt";

/// Sees to it that all packages are there. The error says what is missing and what to do.
pub(crate) fn install() -> Result<(), String> {
    let list =
        fs::read_to_string(root().join(LIST)).map_err(|error| format!("{LIST} cannot be read: {error}"))?;
    let missing: Vec<&str> = names(&list).into_iter().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let words = missing.join(" ");
    if !Path::new("/etc/debian_version").exists() {
        return Err(format!(
            "the interop tests need the programs of these Debian packages: {words}\n\
             This is not Debian: install them by hand, or leave these tests out with --no-peers."
        ));
    }
    if !is_root() {
        return Err(format!(
            "the interop tests need these packages: {words}\n\
             Install them with: sudo apt-get install --no-install-recommends {words}\n\
             or leave these tests out with --no-peers."
        ));
    }
    let update = Step::new("peers: apt-get update", "apt-get").arguments(["update", "-q"]).run();
    let install = Step::new(format!("peers: apt-get install {words}"), "apt-get")
        .arguments(["-o", "DPkg::Lock::Timeout=500", "install", "-y", "-q", "--no-install-recommends"])
        .arguments(missing.iter().copied())
        .variable("DEBIAN_FRONTEND", "noninteractive")
        .run();
    if update.good && install.good {
        Ok(())
    } else {
        Err(format!("not all packages could be installed: {words}"))
    }
}

fn names(list: &str) -> Vec<&str> {
    list.lines()
        .filter_map(|line| line.split('#').next())
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f", "${Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout == b"install ok installed")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_are_no_packages() {
        assert_eq!(names("# all\n\nopenssl # certificates\n  gcc\n"), ["openssl", "gcc"]);
    }

    #[test]
    fn the_list_of_the_repository_is_readable() {
        let list = fs::read_to_string(root().join(LIST)).expect("the list exists");
        for name in names(&list) {
            assert!(
                name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet)),
                "{name}"
            );
        }
    }
}
