//! The table in `docs/requirements.md` is complete, and every test it names exists.

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
fn every_demand_has_a_row_and_every_row_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("docs/requirements.md")).expect("the table");
    let mut here = String::new();
    sources(&root.join("src"), &mut here);
    sources(&root.join("tests"), &mut here);
    let mut system = String::new();
    sources(&root.join("../ipdect-server/tests/system"), &mut system);
    let program = root.join("../examples/tests/presence_timeline.rs");
    let program = fs::read_to_string(program).expect("a file of tests");
    let outside = |file: &str| fs::read_to_string(root.join("..").join(file)).expect("a file of tests");
    let (schemas, fuzz) = (outside("interop/tests/presence_schemas.rs"), outside("fuzz/tests/presence.rs"));
    let numbered = |letter: &str, last: usize| -> Vec<String> {
        (1..=last).map(|number| format!("{letter}{number}")).collect()
    };
    let telling = [numbered("M", 16), numbered("L", 7), numbered("S", 13), numbered("N", 14)].concat();
    let documents = [numbered("D", 13), numbered("X", 10)].concat();
    let phases = [numbered("P", 5), numbered("O", 5), numbered("C", 21), numbered("R", 9)].concat();
    for name in [phases, telling, documents].concat() {
        let row = table.lines().find(|row| row.starts_with(&format!("| {name} |")));
        let row = row.unwrap_or_else(|| panic!("no row {name}"));
        let tests = row.rsplit('|').nth(1).expect("the last column");
        let mut named = 0;
        for test in tests.split(", ").map(str::trim) {
            let (code, test) = match test.split_once(' ') {
                Some(("system", test)) => (&system, test),
                Some(("program", test)) => (&program, test),
                Some(("schemas", test)) => (&schemas, test),
                Some(("fuzz", test)) => (&fuzz, test),
                _ => (&here, test),
            };
            let function = format!("fn {}(", test.trim_matches('`'));
            assert!(code.contains(&function), "{name}: there is no test {test}");
            named += 1;
        }
        assert!(named > 0, "{name} names no test");
    }
}
