//! Inline script metadata (PEP 723): `# /// script` in a single Python file.

use std::sync::Arc;

use super::draft::Draft;
use super::pyproject;
use super::reading::Reading;
use super::table::Document;
use crate::problem::{Code, Origin, SourceFile};

/// What a script says of itself; none where it has no such block.
pub(super) fn read(reading: &mut Reading<'_>, path: &str) -> Option<Draft> {
    let script = reading.source_if_any(path)?;
    let block = block(&script.text)?;
    let file = match block {
        // Comment marks become blanks, so that places in the TOML are places in the script.
        Ok(text) => Arc::new(SourceFile {
            path: script.path.clone(),
            text,
        }),
        Err(at) => {
            let origin = Origin {
                file: script.clone(),
                span: at..at,
            };
            let what = "there is more than one `# /// script` block";
            reading.error(Code::InvalidSyntax, what, Some(origin));
            return Some(Draft::default());
        }
    };
    let before = reading.problems.len();
    let document = Document::parse(&file, &mut reading.problems);
    let mut draft = Draft::default();
    let python = document.at(&["requires-python"]);
    draft.requires_python = Some(python.and_then(|node| match node.text() {
        Some(text) => reading.specifiers(text, Some(&node.origin())),
        None => {
            let what = format!("version specifiers are expected here, not {}", node.kind());
            reading.error(Code::InvalidRequirement, what, Some(node.origin()));
            None
        }
    }));
    let list = document.at(&["dependencies"]);
    let mut list = list.map_or(Vec::new(), |node| pyproject::requirements(reading, node));
    // The reader knows the script, not the text that was made of it.
    let problems = reading.problems.iter_mut().skip(before);
    let places = problems.filter_map(|problem| problem.origin.as_mut());
    let places = places.chain(list.iter_mut().filter_map(|r| r.origin.as_mut()));
    places.for_each(|origin| origin.file = script.clone());
    draft.dependencies = Some(list);
    Some(draft)
}

/// Whether a script says what it requires.
pub fn is_script(text: &str) -> bool {
    block(text).is_some()
}

/// The script with everything but the block's TOML blanked out; the error is where a second block
/// starts.
fn block(text: &str) -> Option<Result<String, usize>> {
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        lines.push((at, line));
        at += line.len();
    }
    let is_start = |line: &str| line.trim_end() == "# /// script";
    let starts: Vec<usize> = (0..lines.len())
        .filter(|i| lines.get(*i).is_some_and(|(_, l)| is_start(l)))
        .collect();
    let first = *starts.first()?;
    // The block ends at the last `# ///` of the comment lines that follow.
    let mut end = None;
    for (index, (_, line)) in lines.iter().enumerate().skip(first + 1) {
        let line = line.trim_end();
        if line == "# ///" {
            end = Some(index);
        }
        if !(line == "#" || line.starts_with("# ")) {
            break;
        }
    }
    let end = end?;
    if let Some(second) = starts.iter().find(|s| **s > end) {
        return lines.get(*second).map(|(at, _)| Err(*at));
    }
    let blank = |line: &str| -> String {
        line.chars()
            .map(|c| {
                if c == '\n' {
                    "\n".to_owned()
                } else {
                    " ".repeat(c.len_utf8())
                }
            })
            .collect()
    };
    let mut out = String::with_capacity(text.len());
    for (index, (_, line)) in lines.iter().enumerate() {
        if index > first && index < end {
            // `#` or `# ` in front.
            let rest = line.strip_prefix('#').unwrap_or(line);
            out.push(' ');
            out.push_str(rest);
        } else {
            out.push_str(&blank(line));
        }
    }
    Some(Ok(out))
}
