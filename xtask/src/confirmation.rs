//! What the tests with real programs say about themselves.

use std::fs;

use crate::root;

/// A test with real programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    /// The file without `.rs`.
    pub(crate) file: String,
    /// The first paragraph of the file's documentation.
    pub(crate) about: String,
    pub(crate) name: String,
    /// What it shows, and who confirms it.
    pub(crate) confirms: Vec<(String, String)>,
}

/// All tests of `interop/tests`, by file and place.
pub(crate) fn of_the_repository() -> Result<Vec<Test>, String> {
    let folder = root().join("interop/tests");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        all.extend(of_file(&file, &text));
    }
    Ok(all)
}

fn of_file(file: &str, text: &str) -> Vec<Test> {
    let about = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let (mut confirms, mut is_test, mut all) = (Vec::new(), false, Vec::new());
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("/// Confirms: ") {
            // The last dash: a claim may have one of its own.
            let (claim, program) = said.rsplit_once(" — ").unwrap_or((said, "?"));
            confirms.push((claim.trim().to_owned(), program.trim().to_owned()));
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|(before, _)| !before.starts_with(' '))
        {
            let name = rest.split('(').next().unwrap_or_default().to_owned();
            let confirms = core::mem::take(&mut confirms);
            if core::mem::take(&mut is_test) {
                all.push(Test { file: file.to_owned(), about: about.clone(), name, confirms });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_says_what_it_confirms_and_other_functions_are_none() {
        let text = "//! Calls with\n//! a program.\n//!\n//! More.\n\nfn helper() {}\n\n/// Confirms: a — dash — Foo\n\
                    /// Confirms: two — Bar\n#[test]\nfn it_works() {\n    fn inner() {}\n}\n\n#[tokio::test]\nasync fn other() {}\n";
        let all = of_file("calls", text);
        assert_eq!(all[0].about, "Calls with a program.");
        assert_eq!((all[0].name.as_str(), all[1].name.as_str()), ("it_works", "other"));
        let pair = |claim: &str, program: &str| (claim.to_owned(), program.to_owned());
        assert_eq!(all[0].confirms, [pair("a — dash", "Foo"), pair("two", "Bar")]);
        assert_eq!((all.len(), all[1].confirms.len()), (2, 0));
    }
}
