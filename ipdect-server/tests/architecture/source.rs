//! Reading the sources of the workspace as text: files, public items with their documentation, methods of a type.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file without its test module.
pub(crate) struct Source {
    /// Relative to the root of the repository.
    pub(crate) path: String,
    /// The lines before `#[cfg(test)] mod …` at the left margin.
    pub(crate) lines: Vec<String>,
}

/// A public item and what is written above it.
pub(crate) struct Item {
    pub(crate) line: usize,
    /// The declaration up to the name's end, for messages.
    pub(crate) declaration: String,
    pub(crate) documentation: Vec<String>,
}

pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// All files below a folder of the repository with this extension, sorted; `target` and hidden folders are left out.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

impl Source {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let tests = lines
            .windows(2)
            .position(|pair| pair[0].starts_with("#[cfg(test)]") && pair[1].starts_with("mod "))
            .unwrap_or(lines.len());
        Self { path: relative(path), lines: lines.into_iter().take(tests).collect() }
    }

    /// The sources of a package.
    pub(crate) fn all(folder: &str) -> Vec<Self> {
        files(folder, "rs").iter().map(|path| Self::read(path)).collect()
    }

    /// Lines that are code: no comments, with their numbers.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.lines.iter().enumerate().map(|(index, line)| (index + 1, line.trim()));
        numbered.filter(|(_, line)| !line.starts_with("//"))
    }

    /// Public types, traits and functions; what a macro makes is left out.
    pub(crate) fn items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for (line, text) in self.code() {
            let Some(rest) = text.strip_prefix("pub ") else { continue };
            let is_item =
                ["struct ", "enum ", "trait ", "union ", "fn ", "const fn ", "async fn ", "unsafe fn "]
                    .iter()
                    .any(|word| rest.starts_with(word));
            if is_item && !rest.contains('$') {
                let end = text.find(['(', '{', '<', ';']).unwrap_or(text.len());
                items.push(Item {
                    line,
                    declaration: text[..end].trim().to_owned(),
                    documentation: self.documentation(line),
                });
            }
        }
        items
    }

    /// The documentation above a line; attributes may stand between.
    fn documentation(&self, line: usize) -> Vec<String> {
        let mut documentation = Vec::new();
        let mut closing = 0_usize;
        for text in self.lines.iter().take(line - 1).rev().map(|line| line.trim()) {
            if let Some(text) = text.strip_prefix("///") {
                documentation.push(text.trim().to_owned());
                continue;
            }
            // An attribute over several lines is read from its end.
            if text.ends_with(")]") && !text.starts_with("#[") {
                closing += 1;
            }
            let inside = closing > 0;
            if text.starts_with("#[") {
                closing = closing.saturating_sub(usize::from(inside));
            } else if !inside && !text.starts_with("// ") {
                break;
            }
        }
        documentation.reverse();
        documentation
    }

    /// The signatures of the public methods in `impl NAME {` blocks, each on one line.
    pub(crate) fn methods(&self, name: &str) -> Vec<String> {
        let mut signatures = Vec::new();
        let mut inside = false;
        let mut open: Option<String> = None;
        for line in &self.lines {
            if is_impl_of(line, name) {
                inside = true;
            } else if line.starts_with('}') {
                inside = false;
            }
            let text = line.trim();
            if inside && (text.starts_with("pub fn ") || text.starts_with("pub const fn ")) {
                open = Some(String::new());
            }
            if let Some(signature) = &mut open {
                if !signature.is_empty() {
                    signature.push(' ');
                }
                signature.push_str(text);
                if text.ends_with('{') || text.ends_with('}') {
                    let signature = signature.trim_end_matches('{').trim().to_owned();
                    signatures.push(signature);
                    open = None;
                }
            }
        }
        signatures
    }
}

/// `impl Name {`, `impl<T> Name<T> {`, but not `impl Trait for Name {`.
fn is_impl_of(line: &str, name: &str) -> bool {
    let Some(rest) = line.strip_prefix("impl") else { return false };
    let rest = match rest.strip_prefix('<') {
        Some(generic) => generic.split_once("> ").map_or("", |(_, rest)| rest),
        None => rest.trim_start(),
    };
    !line.contains(" for ")
        && rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(" {") || rest.starts_with('<'))
}
