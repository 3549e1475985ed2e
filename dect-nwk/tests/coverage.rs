//! `docs/coverage.md` names code and tests that exist.

use std::path::Path;

#[test]
fn every_clause_leads_to_code_and_to_a_test_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("docs/coverage.md")).unwrap();
    let mut rows = 0;
    for line in table.lines().filter(|line| {
        line.starts_with("| ") && !line.starts_with("| clause") && !line.starts_with("| feature")
    }) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [clause, _, code, test] = cells[..] else { panic!("four cells: {line}") };
        let code_text = std::fs::read_to_string(root.join("src").join(code));
        assert!(code_text.is_ok(), "{clause}: no src/{code}");
        let (file, name) = test.split_once(' ').expect("file and name");
        let text = if file == "src" {
            code_text.unwrap()
        } else {
            std::fs::read_to_string(root.join("tests").join(file)).unwrap()
        };
        let (module, name) = name.split_once("::").unwrap_or(("", name));
        assert!(text.contains(&format!("fn {name}(")), "{clause}: no test {name} in {file}");
        assert!(
            module.is_empty() || text.contains(&format!("mod {module} {{")),
            "{clause}: no module {module}"
        );
        rows += 1;
    }
    assert!(rows > 60, "{rows}");
}
