//! Inline script metadata (PEP 723): `# /// script` in a single Python file.

use std::sync::Arc;

use super::draft::Draft;
use super::reading::Reading;
use super::table::{Document, Node};
use crate::problem::{Code, Origin, SourceFile};

/// What a script says of itself; none where it has no such block.
pub(super) fn read(reading: &mut Reading<'_>, path: &str) -> Option<Draft> {
    let file = reading.source_if_any(path)?;
    let block = block(&file.text)?;
    let file = match block {
        // Comment marks become blanks, so that places in the TOML are places in the script.
        Ok(text) => Arc::new(SourceFile {
            path: file.path.clone(),
            text,
        }),
        Err(at) => {
            let origin = Origin {
                file: file.clone(),
                span: at..at,
            };
            let what = "there is more than one `# /// script` block";
            reading.error(Code::InvalidSyntax, what, Some(origin));
            return Some(Draft::default());
        }
    };
    let document = Document::parse(&file, &mut reading.problems);
    let mut draft = Draft::default();
    let python = document.at(&["requires-python"]);
    draft.requires_python = Some(python.and_then(|node| {
        let text = node.text()?;
        reading.specifiers(text, Some(&node.origin()))
    }));
    let mut list = Vec::new();
    for (text, origin) in document
        .at(&["dependencies"])
        .map(Node::texts)
        .unwrap_or_default()
    {
        list.extend(reading.requirement(text, Some(&origin)));
    }
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
