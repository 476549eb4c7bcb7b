//! What a person reads: problems with their source lines, failures, and plain messages. Everything
//! here goes to standard error; results go to standard output by [`Report::result`] alone.

use std::io::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use super::args::{Color, Display};
use super::exit::Failure;
use crate::problem::{Problem, Severity};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Errors.
    Errors,
    /// Errors and warnings.
    Warnings,
    /// The summary too.
    Normal,
    /// Every pin and its reason too.
    Verbose,
    /// Where the time went, too.
    Trace,
}

/// Where everything that is said goes.
#[derive(Debug)]
pub struct Report {
    /// How much is said.
    pub volume: Volume,
    /// Whether standard error gets colours.
    pub styled: bool,
    /// Whether standard output gets colours.
    pub styled_result: bool,
    /// Whether progress may be drawn.
    pub progress: bool,
}

/// Emphasis.
pub const BOLD: Style = Style::new().bold();
/// Success.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// Names of commands and files.
pub const CYAN: Style = AnsiColor::Cyan.on_default();
/// Warnings.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// Errors.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// What can be skipped.
pub const DIM: Style = Style::new().dimmed();

impl Report {
    /// As the arguments and the environment ask for.
    pub fn new(display: &Display) -> Self {
        use std::io::IsTerminal as _;
        let choice = |auto: ColorChoice| match display.color {
            Color::Auto => auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let errors = choice(AutoStream::choice(&std::io::stderr()));
        let results = choice(AutoStream::choice(&std::io::stdout()));
        let trace = std::env::var_os("PYRESOLVE_TRACE").is_some_and(|v| !v.is_empty() && v != "0");
        let volume = match (display.quiet, display.verbose) {
            (0, 0) if !trace => Volume::Normal,
            (0, 1) if !trace => Volume::Verbose,
            (0, _) => Volume::Trace,
            (1, _) => Volume::Warnings,
            _ => Volume::Errors,
        };
        Self {
            volume,
            styled: errors != ColorChoice::Never,
            styled_result: results != ColorChoice::Never,
            progress: !display.no_progress && display.quiet == 0 && std::io::stderr().is_terminal(),
        }
    }

    /// Text in a style, plain where there are no colours.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.styled {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// The same for standard output, which may be another terminal, or none.
    pub fn paint_result(&self, style: Style, text: &str) -> String {
        if self.styled_result {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// A line on standard error, if that much is wanted.
    pub fn say(&self, at: Volume, line: &str) {
        if self.volume >= at {
            // Nothing can be done where standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// A result on standard output.
    ///
    /// # Errors
    /// When standard output cannot be written to; a closed pipe is no error.
    pub fn result(&self, text: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// A problem, with the line it stands in.
    pub fn problem(&self, problem: &Problem) {
        let at = match problem.severity {
            Severity::Error => Volume::Errors,
            Severity::Warning => Volume::Warnings,
            Severity::Note => Volume::Verbose,
        };
        if self.volume >= at {
            self.say(at, &self.render(problem));
        }
    }

    /// A failure with everything that belongs to it.
    pub fn failure(&self, failure: &Failure) {
        for problem in &failure.problems {
            self.problem(problem);
        }
        let mut text = format!("{}: {}", self.paint(RED, "error"), failure.what);
        for why in &failure.why {
            for line in why.lines() {
                text.push_str("\n  ");
                text.push_str(line);
            }
        }
        for help in &failure.help {
            let mut label = self.paint(CYAN, "help");
            for line in help.lines() {
                text.push_str(&format!("\n{label}: {line}"));
                label = "      ".to_owned();
            }
        }
        self.say(Volume::Errors, &text);
    }

    fn render(&self, problem: &Problem) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let title = level
            .primary_title(problem.what.as_str())
            .id(problem.code.text());
        let path;
        let mut groups = Vec::new();
        match &problem.origin {
            Some(origin) => {
                path = origin.path().display().to_string();
                let snippet = Snippet::source(origin.file.text.as_str())
                    .path(path.as_str())
                    .annotation(
                        AnnotationKind::Primary
                            .span(span_in(&origin.file.text, origin.span.clone())),
                    );
                groups.push(title.element(snippet));
            }
            None => groups.push(Group::with_title(title)),
        }
        if let Some(help) = &problem.help {
            groups.push(Group::with_title(
                Level::HELP.secondary_title(help.as_str()),
            ));
        }
        let renderer = if self.styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&groups).to_string()
    }
}

/// The span, moved onto character boundaries inside the text: the renderer insists on it.
fn span_in(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::problem::{Code, Origin, SourceFile};

    #[test]
    fn a_problem_shows_its_line() {
        let report = Report {
            volume: Volume::Normal,
            styled: false,
            styled_result: false,
            progress: false,
        };
        let text = "import os\nsetup(install_requires=['tornado>>6'])\n".to_owned();
        let at = text.find("'tornado").unwrap();
        let problem = Problem {
            code: Code::InvalidRequirement,
            severity: Severity::Error,
            what: "`tornado>>6` is not a requirement".to_owned(),
            origin: Some(Origin {
                file: Arc::new(SourceFile {
                    path: PathBuf::from("setup.py"),
                    text,
                }),
                span: at..at + 13,
            }),
            help: Some("write `tornado>6`".to_owned()),
        };
        insta::assert_snapshot!(report.render(&problem), @r"
        error[PYR101]: `tornado>>6` is not a requirement
         --> setup.py:2:25
          |
        2 | setup(install_requires=['tornado>>6'])
          |                         ^^^^^^^^^^^^^
          |
        help: write `tornado>6`
        ");
    }

    #[test]
    fn spans_outside_the_text_are_moved_into_it() {
        assert_eq!(span_in("aé", 2..9), 1..3);
        assert_eq!(span_in("", 4..5), 0..0);
    }
}
