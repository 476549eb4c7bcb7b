//! Shell fragments of recipes taken apart, as far as it takes to know what they look for.
//!
//! Simple commands only: a fragment with loops, conditions or here-documents is not read at all.

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// Its words.
    pub words: Vec<Word>,
    /// Whether it is alone: no pipe, no redirection, no condition on the command before it.
    pub plain: bool,
    /// Where it stands in the fragment, in bytes.
    pub span: std::ops::Range<usize>,
}

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// As the shell sees it after quotes; meaningless where it is not known.
    pub text: String,
    /// Whether nothing in it has to be expanded.
    pub known: bool,
    /// As it is written.
    pub raw: String,
}

/// Words that start what is no simple command.
const KEYWORDS: [&str; 15] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac",
    "function", "{", "}",
];

/// The commands of a fragment. `exact` says whether all of it is what the shell sees; else Nix'
/// `${…}` stands for something that is not known, in single quotes too.
///
/// None where there is more than simple commands in it.
pub(super) fn commands(text: &str, exact: bool) -> Option<Vec<Command>> {
    let mut reader = Reader {
        text,
        at: 0,
        exact,
        commands: Vec::new(),
        current: None,
    };
    reader.read()?;
    Some(reader.commands)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    exact: bool,
    commands: Vec<Command>,
    current: Option<Command>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn read(&mut self) -> Option<()> {
        let mut conditional = false;
        while let Some(next) = self.next() {
            match next {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.rest().starts_with("\\\n") => self.at += 2,
                '\n' | ';' => {
                    self.at += 1;
                    self.end(&mut conditional);
                }
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                '&' if self.rest().starts_with("&&") => {
                    self.at += 2;
                    self.end(&mut conditional);
                }
                '&' | '|' => {
                    let either = self.rest().starts_with("||");
                    self.at += if either { 2 } else { 1 };
                    if let Some(command) = &mut self.current {
                        command.plain = false;
                    }
                    self.end(&mut conditional);
                    conditional = true;
                }
                '<' if self.rest().starts_with("<<") => return None,
                '<' | '>' => {
                    self.at += 1;
                    if let Some(command) = &mut self.current {
                        command.plain = false;
                    }
                }
                '(' | ')' => return None,
                _ => self.word()?,
            }
        }
        self.end(&mut conditional);
        Some(())
    }

    fn end(&mut self, conditional: &mut bool) {
        if let Some(mut command) = self.current.take() {
            command.plain &= !*conditional;
            *conditional = false;
            self.commands.push(command);
        }
    }

    fn word(&mut self) -> Option<()> {
        let start = self.at;
        let mut word = Word {
            text: String::new(),
            known: true,
            raw: String::new(),
        };
        while let Some(next) = self.next() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' => self.single(&mut word)?,
                '"' => self.double(&mut word)?,
                '\\' => {
                    self.at += 1;
                    let escaped = self.next()?;
                    self.at += escaped.len_utf8();
                    if escaped != '\n' {
                        word.text.push(escaped);
                    }
                }
                '$' | '`' => self.expansion(&mut word)?,
                '*' | '?' | '[' => {
                    word.known = false;
                    self.at += 1;
                }
                other => {
                    word.text.push(other);
                    self.at += other.len_utf8();
                }
            }
        }
        word.raw = self.text.get(start..self.at)?.to_owned();
        let first = self.current.is_none();
        if first && KEYWORDS.contains(&word.raw.as_str()) {
            return None;
        }
        let command = self.current.get_or_insert(Command {
            words: Vec::new(),
            plain: true,
            span: start..start,
        });
        command.span.end = self.at;
        command.words.push(word);
        Some(())
    }

    fn single(&mut self, word: &mut Word) -> Option<()> {
        let inner = self.text.get(self.at + 1..)?;
        let length = inner.find('\'')?;
        let inner = inner.get(..length)?;
        word.known &= self.exact || !inner.contains("${");
        word.text.push_str(inner);
        self.at += length + 2;
        Some(())
    }

    fn double(&mut self, word: &mut Word) -> Option<()> {
        self.at += 1;
        loop {
            let next = self.next()?;
            match next {
                '"' => {
                    self.at += 1;
                    return Some(());
                }
                '$' | '`' => self.expansion(word)?,
                '\\' => {
                    self.at += 1;
                    let escaped = self.next()?;
                    self.at += escaped.len_utf8();
                    match escaped {
                        '\n' => {}
                        '$' | '`' | '"' | '\\' => word.text.push(escaped),
                        other => word.text.extend(['\\', other]),
                    }
                }
                other => {
                    word.text.push(other);
                    self.at += other.len_utf8();
                }
            }
        }
    }

    /// `$name`, `${…}`, `$(…)`, `` `…` `` and `$'…'`.
    fn expansion(&mut self, word: &mut Word) -> Option<()> {
        let rest = self.rest();
        let closing = match rest.as_bytes().get(1) {
            _ if rest.starts_with('`') => Some(1 + rest.get(1..)?.find('`')?),
            Some(b'{') => Some(balanced(rest, '{', '}')?),
            Some(b'(') => Some(balanced(rest, '(', ')')?),
            Some(b'\'') => Some(2 + rest.get(2..)?.find('\'')?),
            Some(b) if b.is_ascii_alphanumeric() || b"_@*#?$!-".contains(b) => {
                let name = rest.get(1..)?;
                let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                Some(end.unwrap_or(name.len()).max(1))
            }
            _ => None,
        };
        match closing {
            Some(last) => {
                word.known = false;
                self.at += last + 1;
            }
            None => {
                word.text.push('$');
                self.at += 1;
            }
        }
        Some(())
    }
}

/// Where the bracket that a text opens first is closed.
fn balanced(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        let show = |word: &Word| {
            if word.known {
                word.text.clone()
            } else {
                "?".to_owned()
            }
        };
        let commands = commands(text, true).unwrap();
        let shown = commands.iter().map(|c| c.words.iter().map(show).collect());
        shown.collect()
    }

    #[test]
    fn commands_are_taken_apart() {
        let text = "
            # a comment
            substituteInPlace setup.py src/\"a b\".py \\
              --replace-fail 'x \"y\"' \"a \\\"b\\\" $out\" \\
              --replace-fail \\'a $'b\\n'
            rm -r tests; touch x && echo \"$(which x)\" > y
        ";
        assert_eq!(
            words(text),
            [
                vec![
                    "substituteInPlace",
                    "setup.py",
                    "src/a b.py",
                    "--replace-fail",
                    "x \"y\"",
                    "?",
                    "--replace-fail",
                    "'a",
                    "?"
                ],
                vec!["rm", "-r", "tests"],
                vec!["touch", "x"],
                vec!["echo", "?", "y"],
            ]
        );
    }

    #[test]
    fn what_is_more_is_not_read() {
        for text in [
            "if true; then x; fi",
            "for f in *; do x; done",
            "cat <<EOF\nx\nEOF",
            "x () { y; }",
            "echo 'unfinished",
            "echo \"$(x\"",
        ] {
            assert_eq!(commands(text, true), None, "{text}");
        }
        let unknown = commands("x '${y}'", false).unwrap();
        assert!(!unknown[0].words[1].known);
        assert!(!commands("a || b", true).unwrap()[1].plain);
    }
}
