//! The header by which a Python script runs itself in its locked environment, through `nix-shell`.
//!
//! The first line names nix-shell; the line `#! nix-shell …`, which it looks for in the whole script,
//! names the interpreter and the file with the environment, seen from the script. An encoding line
//! (PEP 263) counts only as the first or second one, so that it goes between the two.

/// The line that makes the system call nix-shell.
const SHEBANG: &str = "#!/usr/bin/env nix-shell";

/// Why a script gets no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShebangError {
    /// Nothing can be in front of a byte order mark.
    #[error("it starts with a byte order mark, which keeps systems from seeing a first line `#!`")]
    ByteOrderMark,
    /// The system would look for a program whose name ends in a carriage return.
    #[error(
        "its lines end as on Windows, and systems then look for a program called `nix-shell\\r`"
    )]
    CarriageReturns,
    /// The first line says that something else runs it.
    #[error("its first line has it run by something else: `{0}`")]
    Other(String),
}

/// The script with the header; none where it has one.
///
/// A first line that names a Python is replaced: its options are kept, and the Python is that of the
/// environment.
///
/// # Errors
/// See [`ShebangError`].
pub fn with_header(script: &str, environment: &str) -> Result<Option<String>, ShebangError> {
    if script.starts_with('\u{feff}') {
        return Err(ShebangError::ByteOrderMark);
    }
    if script.contains("\r\n") {
        return Err(ShebangError::CarriageReturns);
    }
    let mut lines: Vec<&str> = script.split_inclusive('\n').collect();
    let mut interpreter = "python3".to_owned();
    if let Some(first) = lines.first().filter(|line| line.starts_with("#!")) {
        if is_nix_shell(first) {
            return Ok(None);
        }
        let options =
            options(first).ok_or_else(|| ShebangError::Other(first.trim_end().to_owned()))?;
        if !options.is_empty() {
            interpreter = format!("\"python3 {}\"", options.join(" "));
        }
        lines.remove(0);
    }
    let had = script.split_inclusive('\n').take(2);
    let coding = had.filter(|line| is_coding(line)).last();
    let mut out = format!("{SHEBANG}\n");
    if let Some(coding) = coding {
        out.push_str(coding);
        if !coding.ends_with('\n') {
            out.push('\n');
        }
        let place = lines.iter().position(|line| *line == coding);
        if let Some(place) = place {
            lines.remove(place);
        }
    }
    out.push_str(&format!("#! nix-shell -i {interpreter} {environment}\n"));
    // Comments that follow, such as the metadata, are not part of the header.
    if lines.first().is_some_and(|line| !line.trim().is_empty()) {
        out.push('\n');
    }
    out.extend(lines);
    Ok(Some(out))
}

fn is_nix_shell(line: &str) -> bool {
    let program = |word: &str| word.rsplit('/').next() == Some("nix-shell");
    line.trim_start_matches("#!")
        .split_whitespace()
        .any(program)
}

/// The options of a Python that a first line names; none where it names something else.
fn options(line: &str) -> Option<Vec<&str>> {
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut program = base(words.next()?);
    if program == "env" {
        let mut next = words.next()?;
        if next == "-S" {
            next = words.next()?;
        }
        program = base(next);
    }
    let version = program.strip_prefix("python")?;
    let is_version = version.is_empty()
        || version == "3"
        || version
            .strip_prefix("3.")
            .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()));
    let options: Vec<&str> = words.collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-=:._,".contains(c);
    let all_plain = options
        .iter()
        .all(|o| o.starts_with('-') && o.chars().all(plain));
    (is_version && all_plain).then_some(options)
}

/// PEP 263: a comment with `coding:` or `coding=` and a name.
fn is_coding(line: &str) -> bool {
    let Some(comment) = line
        .trim_start_matches([' ', '\t', '\u{c}'])
        .strip_prefix('#')
    else {
        return false;
    };
    let mut rest = comment;
    while let Some((_, after)) = rest.split_once("coding") {
        if let Some(name) = after.strip_prefix([':', '=']) {
            let name = name.trim_start_matches([' ', '\t']);
            if name.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
                return true;
            }
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headed(script: &str) -> String {
        with_header(script, "dependencies.nix -A env.env")
            .unwrap()
            .unwrap()
    }

    #[test]
    fn a_script_gets_a_header_once() {
        let script = headed("# /// script\n# ///\nprint(1)\n");
        assert_eq!(
            script,
            "#!/usr/bin/env nix-shell\n#! nix-shell -i python3 dependencies.nix -A env.env\n\n# /// script\n# ///\nprint(1)\n"
        );
        assert_eq!(with_header(&script, "x"), Ok(None));
        assert_eq!(with_header("#!/run/nix-shell -i python3\n", "x"), Ok(None));
    }

    #[test]
    fn the_meaning_of_a_python_line_is_kept() {
        for (line, second) in [
            (
                "#!/usr/bin/env python3",
                "#! nix-shell -i python3 dependencies.nix",
            ),
            (
                "#! /usr/bin/python3.12",
                "#! nix-shell -i python3 dependencies.nix",
            ),
            (
                "#!/usr/bin/env -S python -u -Wignore",
                "#! nix-shell -i \"python3 -u -Wignore\" dependencies.nix",
            ),
        ] {
            let script = headed(&format!("{line}\nprint(1)\n"));
            let lines: Vec<&str> = script.lines().collect();
            assert!(lines[1].starts_with(second), "{script}");
            assert_eq!(lines[2..], ["", "print(1)"], "{script}");
        }
        for line in [
            "#!/bin/sh",
            "#!/usr/bin/env -S uv run --script",
            "#!/usr/bin/python2",
            "#!/usr/bin/env -S python3 -c `id`",
            "#!",
        ] {
            let error = with_header(&format!("{line}\n"), "x").unwrap_err();
            assert_eq!(error, ShebangError::Other(line.to_owned()));
        }
    }

    #[test]
    fn an_encoding_line_stays_among_the_first_two() {
        for script in [
            "# -*- coding: latin-1 -*-\nprint(1)\n",
            "#!/usr/bin/env python3\n# vim: set fileencoding=latin-1 :\nprint(1)\n",
            "# ours\n# coding=utf-8\nprint(1)\n",
        ] {
            let headed = headed(script);
            let lines: Vec<&str> = headed.lines().collect();
            assert!(lines[1].contains("coding"), "{headed}");
            assert!(lines[2].starts_with("#! nix-shell"), "{headed}");
            assert_eq!(headed.matches("coding").count(), 1);
            assert_eq!(headed.contains("# ours"), script.contains("# ours"));
        }
        assert!(!is_coding("# encoding is hard") && !is_coding("x = 'coding: y'"));
    }

    #[test]
    fn what_cannot_run_is_told() {
        assert_eq!(
            with_header("\u{feff}x\n", "x"),
            Err(ShebangError::ByteOrderMark)
        );
        assert_eq!(
            with_header("#!/usr/bin/env python3\r\nx\r\n", "x"),
            Err(ShebangError::CarriageReturns)
        );
        assert!(headed("").ends_with("env.env\n"));
        assert!(headed("print(1)").ends_with("\n\nprint(1)"));
    }
}
