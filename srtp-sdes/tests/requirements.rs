//! The table of requirements in `docs/requirements.md` is complete, and every test it names exists.

use std::fs;
use std::path::Path;

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_requirement_has_a_row_and_every_row_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("docs/requirements.md")).expect("the table");
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    for number in 1..=30 {
        let row = table
            .lines()
            .find(|row| row.starts_with(&format!("| S{number} |")))
            .unwrap_or_else(|| panic!("no row for S{number}"));
        let tests = row.rsplit('|').nth(1).expect("the last column");
        let names: Vec<&str> =
            tests.split('`').skip(1).step_by(2).filter(|name| !name.contains(['/', '.'])).collect();
        assert!(!names.is_empty(), "S{number} names no test");
        for name in names {
            assert!(code.contains(&format!("fn {name}(")), "S{number}: there is no test {name}");
        }
    }
}
