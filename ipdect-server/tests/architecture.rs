//! The rules of the workspace as checks: what may depend on what, how machines look, how long files are, and that every
//! public item of a sans-IO crate names its source.

#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use source::{Source, files, relative, root};

/// The crates without clocks, sockets, threads and randomness; none depends on another.
const SANS_IO: [&str; 7] =
    ["sip-lync", "srtp-sdes", "dect-nwk", "ntlm-auth", "presence-pidf", "rfp-link", "telephony-audio"];

/// What no sans-IO crate may depend on, directly or through others.
const SHELL_ONLY: [&str; 14] = [
    "tokio",
    "mio",
    "socket2",
    "async-std",
    "smol",
    "rand",
    "getrandom",
    "rustls",
    "native-tls",
    "openssl",
    "hyper",
    "reqwest",
    "tracing",
    "log",
];

/// Most lines of a file without its tests.
const LINES_MAX: usize = 500;

/// File names that say nothing.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "types", "shared"];

/// The machines and the crates they live in.
const MACHINES: [(&str, &str); 9] = [
    ("rfp-link", "Link"),
    ("presence-pidf", "HandsetPresence"),
    ("presence-pidf", "Publisher"),
    ("dect-nwk", "FixedPart"),
    ("dect-nwk", "PortablePart"),
    ("sip-lync", "Agent"),
    ("sip-lync", "Endpoint"),
    ("sip-lync", "Client"),
    ("sip-lync", "Server"),
];

/// Fails with all violations at once, so that they can be mended at once.
fn none(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}; {} violations:\n  {}", violations.len(), violations.join("\n  "));
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).current_dir(root()).args(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn packages() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]))
            .expect("metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn sans_io_crates_depend_on_no_other_member_and_on_nothing_of_the_shell() {
    let members: BTreeSet<String> =
        packages().iter().filter_map(|package| Some(package["name"].as_str()?.to_owned())).collect();
    let mut violations = Vec::new();
    for name in SANS_IO {
        assert!(members.contains(name), "{name} is no member");
        // What a user of this crate alone gets: features of other members do not count.
        let tree = cargo(&["tree", "--offline", "-p", name, "-e", "normal", "--prefix", "none"]);
        for dependency in tree.lines().skip(1).filter_map(|line| line.split(' ').next()) {
            if dependency != name && (members.contains(dependency) || SHELL_ONLY.contains(&dependency)) {
                violations.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    violations.dedup();
    none("sans-IO crates stand alone", &violations);
}

#[test]
fn the_simulators_never_depend_on_the_server() {
    let tree = cargo(&["tree", "--offline", "-p", "ipdect-sim", "-e", "normal", "--prefix", "none"]);
    assert!(
        !tree.lines().any(|line| line.starts_with("ipdect-server ")),
        "ipdect-sim depends on ipdect-server"
    );
}

#[test]
fn sans_io_crates_ban_clocks_sockets_threads_and_random_hashes_and_lift_no_ban() {
    let mut violations = Vec::new();
    for name in SANS_IO {
        let bans = read(&format!("{name}/clippy.toml"));
        for banned in [
            "std::time::Instant::now",
            "std::time::SystemTime::now",
            "std::thread::spawn",
            "std::thread::sleep",
            "std::net::UdpSocket",
            "std::net::TcpStream",
            "std::net::TcpListener",
            "std::collections::hash_map::RandomState",
        ] {
            if !bans.contains(&format!("\"{banned}\"")) {
                violations.push(format!("{name}/clippy.toml does not ban {banned}"));
            }
        }
        for source in Source::all(&format!("{name}/src")) {
            for (line, text) in source.code() {
                if text.contains("clippy::disallowed_")
                    || text.contains("HashMap")
                    || text.contains("HashSet")
                {
                    violations.push(format!("{}:{line}: {text}", source.path));
                }
            }
        }
    }
    let workspace = root().join("clippy.toml");
    if workspace.exists() && fs::read_to_string(workspace).is_ok_and(|bans| bans.contains("disallowed")) {
        violations.push("clippy.toml of the root bans something: the shell may read clocks".to_owned());
    }
    none("bans stand in each sans-IO crate and hold", &violations);
}

#[test]
fn the_core_and_the_media_path_of_the_server_know_no_runtime() {
    let mut violations = Vec::new();
    for (folder, banned) in [
        (
            "ipdect-server/src/core",
            &[
                "tokio",
                "std::net::UdpSocket",
                "Instant::now",
                "SystemTime::now",
                "thread::spawn",
                "getrandom",
            ][..],
        ),
        ("ipdect-server/src/media", &["tokio"]),
    ] {
        let sources = Source::all(folder);
        assert!(!sources.is_empty(), "{folder} is empty");
        for source in sources {
            for (line, text) in source.code() {
                for word in banned.iter().filter(|word| text.contains(**word)) {
                    violations.push(format!("{}:{line}: {word}", source.path));
                }
            }
        }
    }
    none("core/ is sans-IO and media/ has threads, no runtime", &violations);
}

#[test]
fn no_file_is_longer_than_can_be_read_in_one_sitting() {
    let mut violations = Vec::new();
    for path in files(".", "rs") {
        let source = Source::read(&path);
        let is_test = source.path.split('/').any(|part| part == "tests");
        if !is_test && source.lines.len() > LINES_MAX {
            violations.push(format!("{}: {} lines", source.path, source.lines.len()));
        }
    }
    none("a file has at most 500 lines without its tests", &violations);
}

#[test]
fn every_file_is_named_by_what_is_in_it() {
    let violations: Vec<String> = files(".", "rs")
        .iter()
        .map(|path| relative(path))
        .filter(|path| path.split('/').any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs"))))
        .collect();
    none("files and folders carry the specification's word", &violations);
}

#[test]
fn every_public_item_of_a_sans_io_crate_names_its_source() {
    let mut violations = Vec::new();
    let mut items = 0;
    for name in SANS_IO {
        for source in Source::all(&format!("{name}/src")) {
            for item in source.items() {
                items += 1;
                let last = item.documentation.iter().rev().find(|line| !line.is_empty());
                if !last.is_some_and(|line| names_a_source(line)) {
                    violations.push(format!("{}:{}: {}", source.path, item.line, item.declaration));
                }
            }
        }
    }
    assert!(items > 300, "only {items} public items were found");
    none("the last line of an item's documentation names its source", &violations);
}

/// Whether a line names a standard, or a document of ours.
fn names_a_source(line: &str) -> bool {
    let numbered = |word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let rest = line.get(at + word.len()..).unwrap_or_default();
            rest.trim_start_matches([' ', '-'])
                .starts_with(|next: char| next.is_ascii_digit() || word.ends_with('-'))
        })
    };
    let specification = line.match_indices("MS-").any(|(at, _)| {
        line.get(at + 3..at + 5).is_some_and(|name| {
            name.bytes().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit())
        })
    });
    let document = line
        .split(['`', ' ', '(', ')', ',', ';'])
        .any(|word| word.starts_with("docs/") && word.contains(".md"));
    ["RFC", "EN 300", "EN 301", "ETS", "TS 102", "FIPS", "SMPTE", "SP 800", "TR 10"]
        .iter()
        .any(|word| numbered(word))
        || ["ITU-T ", "draft-", "W3C ", "IEEE "].iter().any(|word| line.contains(word))
        || specification
        || document
}

#[test]
fn what_counts_as_a_source_is_a_standard_or_a_document_of_ours() {
    for good in [
        "RFC 3711 4.3.1",
        "EN 300 175-5 9.3.1",
        "MS-SIPRE 4.2 (as seen)",
        "`docs/radio-link.md` 3",
        "ITU-T G.726 2.1",
        "draft-ietf-x-01 2",
    ] {
        assert!(names_a_source(good), "{good}");
    }
    for bad in ["", "The length.", "RFC", "docs/radio", "as in the standard", "MS-", "a docs folder"] {
        assert!(!names_a_source(bad), "{bad}");
    }
}

#[test]
fn every_machine_has_the_common_shape() {
    let mut violations = Vec::new();
    for (package, machine) in MACHINES {
        let sources = Source::all(&format!("{package}/src"));
        let declared = sources
            .iter()
            .flat_map(Source::items)
            .any(|item| item.declaration == format!("pub struct {machine}"));
        if !declared {
            violations.push(format!("{package}: there is no {machine}"));
            continue;
        }
        let methods: Vec<String> = sources.iter().flat_map(|source| source.methods(machine)).collect();
        let mut expect = |beginning: &str, end: &str| {
            let found = methods
                .iter()
                .map(|method| method.replace("const fn ", "fn "))
                .any(|method| method.starts_with(beginning) && method.contains(end));
            if !found {
                violations.push(format!("{package}: {machine} has no `{beginning}…{end}`"));
            }
        };
        expect("pub fn new(", "-> Self");
        expect("pub fn handle_timeout(&mut self, now: Instant", ")");
        expect("pub fn poll_event(&mut self)", "-> Option<Event>");
        expect("pub fn poll_timeout(&self)", "-> Option<Instant>");
        expect("pub fn state(&self", "->");
        // The presence of a handset hears calls from its owner, and octets from nobody.
        if machine != "HandsetPresence" {
            expect("pub fn handle_input(&mut self, now: Instant, ", "Input<'_>");
            expect("pub fn poll_transmit(&mut self, ", "&mut BytesMut) -> Option<Transmit>");
        }
        for method in &methods {
            let verb = method.trim_start_matches("pub fn ").split('(').next().unwrap_or_default();
            if ["set_", "get_", "do_", "process_"].iter().any(|word| verb.starts_with(word)) {
                violations.push(format!("{package}: {machine}::{verb} is no verb of a specification"));
            }
        }
    }
    none("a reader who knows one machine knows all", &violations);
}

#[test]
fn unsafe_code_is_forbidden_except_in_simd_modules() {
    let mut violations = Vec::new();
    for package in packages() {
        let folder =
            package["manifest_path"].as_str().map(Path::new).and_then(Path::parent).expect("a folder");
        let name = relative(folder);
        let has_simd = folder.join("src/simd").exists() || folder.join("src/simd.rs").exists();
        for entry in ["src/lib.rs", "src/main.rs"] {
            let Ok(text) = fs::read_to_string(folder.join(entry)) else { continue };
            let wanted = if has_simd { "#![deny(unsafe_code)]" } else { "#![forbid(unsafe_code)]" };
            if !text.contains(wanted) {
                violations.push(format!("{name}/{entry} does not say {wanted}"));
            }
        }
        for source in Source::all(&name) {
            for (line, text) in source.code() {
                let lifts =
                    text.starts_with('#') && text.contains("(unsafe_code") && !text.contains("forbid");
                // A counting allocator of a test and peers written in C of a benchmark are the other places.
                let excused = source.path.contains("/simd")
                    || text.starts_with("#![deny(")
                    || (source.path.contains("/tests/") && text.contains("reason"))
                    || (source.path.contains("benches/benches/") && text.contains("reason"))
                    || (source.path.contains("benches/peers/") && text.contains("reason"));
                if lifts && !excused {
                    violations.push(format!("{}:{line}: {text}", source.path));
                }
            }
        }
    }
    none("unsafe code is forbidden", &violations);
}

#[test]
fn tests_are_never_ignored_and_those_with_real_programs_ask_for_them() {
    let mut violations = Vec::new();
    for path in files(".", "rs") {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let ignored = concat!("#[", "ignore");
        for (index, _) in text.lines().enumerate().filter(|(_, line)| line.trim().starts_with(ignored)) {
            violations.push(format!("{}:{}: an ignored test", relative(&path), index + 1));
        }
    }
    for package in packages().iter().filter(|package| package["name"] == "interop") {
        for target in package["targets"].as_array().into_iter().flatten() {
            let is_test =
                target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "test"));
            if is_test && target["required-features"] != serde_json::json!(["peers"]) {
                violations
                    .push(format!("interop: test {} lacks required-features = [\"peers\"]", target["name"]));
            }
        }
    }
    none("no test passes in silence", &violations);
}

#[test]
fn every_member_shares_lints_edition_and_toolchain() {
    let mut violations = Vec::new();
    for package in packages() {
        let manifest = package["manifest_path"].as_str().expect("a path");
        let name = package["name"].as_str().unwrap_or_default();
        let text = fs::read_to_string(manifest).unwrap_or_default();
        if !text.contains("[lints]\nworkspace = true") {
            violations.push(format!("{name} does not take the workspace's lints"));
        }
        if package["edition"] != "2024" || package["rust_version"] != "1.95" {
            violations.push(format!("{name} is not of edition 2024 with Rust 1.95"));
        }
        let folder = relative(Path::new(manifest).parent().expect("a folder"));
        if SANS_IO.contains(&name) {
            for file in ["README.md", "CHANGELOG.md"] {
                if !root().join(&folder).join(file).exists() {
                    violations.push(format!("{folder}/{file} is missing"));
                }
            }
        }
    }
    if !read("rust-toolchain.toml").contains("channel = \"1.95.0\"") {
        violations.push("rust-toolchain.toml does not say 1.95.0".to_owned());
    }
    none("members are of one kind", &violations);
}

#[test]
fn rendered_state_tables_are_part_of_the_documentation() {
    let mut violations = Vec::new();
    for name in SANS_IO {
        let sources = Source::all(&format!("{name}/src"));
        for table in files(&format!("{name}/docs/states"), "md") {
            let file = table.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let included = sources
                .iter()
                .flat_map(|source| &source.lines)
                .any(|line| line.contains("include_str!") && line.contains(&file));
            if !included {
                violations.push(format!("{} is not included anywhere", relative(&table)));
            }
        }
    }
    none("the rendered documentation is the tested table", &violations);
}

#[test]
fn the_repository_stands_alone() {
    let mut violations = Vec::new();
    // Written in two pieces, so that this file does not find itself.
    let foreign = [
        concat!("/wo", "rk/"),
        concat!("sha", "red/vectors"),
        concat!("sha", "red/facts"),
        concat!("sha", "red/peers"),
    ];
    for extension in ["rs", "md", "toml", "txt", "sh", "c"] {
        for path in files(".", extension) {
            let text = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            for (index, line) in text.lines().enumerate() {
                for word in foreign.iter().filter(|word| line.contains(**word)) {
                    violations.push(format!("{}:{}: {word}", relative(&path), index + 1));
                }
            }
        }
    }
    none("nothing outside the repository is needed or named", &violations);
}
