//! What can be wrong with the user's input, where it stands, and what to do about it.
//!
//! A [`Problem`] is the user's (a line that cannot be read); an error is the world's (a host that
//! does not answer). Readers collect problems and go on; errors end a step.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that values were read from, kept so that messages can show its lines.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as the user should see it.
    pub path: PathBuf,
    /// The whole text, decoded.
    pub text: String,
}

/// Where a value was read: a byte range of a file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Byte offsets into the file's text; always on character boundaries.
    pub span: Range<usize>,
}

impl Origin {
    /// The file's path as the user should see it.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// One-based line and column (in characters) of the start of the span.
    pub fn line_column(&self) -> (usize, usize) {
        let start = self.span.start.min(self.file.text.len());
        let before = self.file.text.get(..start).unwrap_or(&self.file.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        (line, column)
    }

    /// The text the span covers.
    pub fn text(&self) -> &str {
        self.file.text.get(self.span.clone()).unwrap_or("")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.path.display(), self.line_column().0)
    }
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    Note,
    /// The result is usable but may not be what the user expects.
    Warning,
    /// The result cannot be trusted or does not exist.
    Error,
}

/// Something about the user's input that the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, documented in `docs/problems.md`.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, as a sentence without a full stop.
    pub what: String,
    /// Where it stands.
    pub origin: Option<Origin>,
    /// What to do about it.
    pub help: Option<String>,
}

/// One sentence with file and line, for where no source lines can be shown.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.what)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Stable problem codes: `PYR1xx` reading, `2xx` index, `3xx` resolving, `4xx` plan,
        /// `5xx` writing. Each is documented in `docs/problems.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code as it is printed and documented.
            pub fn text(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }
        }
    };
}

codes! {
    /// A requirement that is not PEP 508.
    InvalidRequirement = "PYR101",
    /// An invalid specifier or marker that was repaired.
    RepairedRequirement = "PYR102",
    /// A part of a project that cannot be known without running it.
    UnknownValue = "PYR103",
    /// A file that another file includes or reads does not exist.
    MissingFile = "PYR104",
    /// A file is not written in the language that its name promises.
    InvalidSyntax = "PYR105",
    /// Two sources of the same fact disagree.
    Disagreement = "PYR106",
    /// A requirements file's option that has no meaning here.
    IgnoredOption = "PYR107",
    /// A setting of pyresolve's own that does not exist or has the wrong type.
    UnknownSetting = "PYR108",
    /// Another tool's lock of a version that is not understood.
    UnknownLockVersion = "PYR109",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
