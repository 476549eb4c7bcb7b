//! What `check` finds, for people, programs and CI systems.

use std::fmt;

use serde_json::{Value, json};

use super::report::{BOLD, RED, Report, YELLOW};
use crate::python::Sha256;

/// In which way a lock is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The sources ask for something else now.
    Stale,
    /// A generated file was changed by hand.
    Edited,
    /// What it names is no more.
    Broken,
    /// It was made with another nixpkgs.
    Nixpkgs,
    /// nixpkgs has caught up with an entry.
    Superseded,
}

impl Kind {
    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Kind::Stale => "stale",
            Kind::Edited => "edited",
            Kind::Broken => "broken",
            Kind::Nixpkgs => "nixpkgs",
            Kind::Superseded => "superseded",
        }
    }
}

impl Kind {
    /// Whether the files are wrong as they are, and not only not the newest that could be.
    fn is_grave(self) -> bool {
        !matches!(self, Kind::Nixpkgs | Kind::Superseded)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In which way.
    pub kind: Kind,
    /// The file where it shows.
    pub file: String,
    /// The line, one-based, where one tells more than the file.
    pub line: Option<usize>,
    /// What is wrong, in one line.
    pub what: String,
    /// The nixpkgs with which it shows, where that is not the one that counts.
    pub against: Option<String>,
}

impl Finding {
    /// A finding about a whole file.
    pub fn new(kind: Kind, file: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            kind,
            file: file.into(),
            line: None,
            what: what.into(),
            against: None,
        }
    }

    /// The same, with another nixpkgs.
    #[must_use]
    pub fn against(mut self, nixpkgs: &str) -> Self {
        self.against = Some(nixpkgs.to_owned());
        self
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "kind": self.kind.text(),
            "file": self.file,
            "line": self.line,
            "what": self.what,
            "against": self.against,
        })
    }

    /// What is wrong, with the nixpkgs with which it is.
    fn said(&self) -> String {
        match &self.against {
            Some(nixpkgs) => format!("with {nixpkgs}: {}", self.what),
            None => self.what.clone(),
        }
    }

    /// The same at a line.
    #[must_use]
    pub fn at(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// A line for each, for people.
pub fn text(findings: &[Finding], report: &Report) -> String {
    let words = findings.iter().map(|finding| finding.kind.text().len());
    let width = words.max().unwrap_or(0).max(Kind::Broken.text().len());
    let lines = findings.iter().map(|finding| {
        let style = match finding.kind {
            Kind::Stale | Kind::Nixpkgs | Kind::Superseded => YELLOW,
            Kind::Edited | Kind::Broken => RED,
        };
        let kind = report.paint_result(style, &format!("{:<width$}", finding.kind.text()));
        let place = report.paint_result(BOLD, &finding.place());
        format!("{kind}  {place}: {}\n", finding.said())
    });
    lines.collect()
}

/// For programs.
pub fn as_json(findings: &[Finding], diff: &str) -> Value {
    let all: Vec<Value> = findings.iter().map(Finding::json).collect();
    json!({ "good": findings.is_empty(), "findings": all, "diff": diff })
}

/// Workflow commands of GitHub Actions, which show at the lines in question.
pub fn github(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let line = finding.line.map(|line| format!(",line={line}"));
        format!(
            "::{} file={}{},title=pyresolve%3A {}::{}\n",
            if finding.kind.is_grave() {
                "error"
            } else {
                "warning"
            },
            property(&finding.file),
            line.unwrap_or_default(),
            finding.kind,
            message(&finding.said())
        )
    });
    lines.collect()
}

/// The text of a workflow command.
pub fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command.
pub fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// A Code Quality report of GitLab.
pub fn gitlab(findings: &[Finding]) -> Value {
    let all = findings.iter().map(|finding| {
        let identity = format!("{}\n{}\n{}", finding.kind, finding.file, finding.said());
        json!({
            "check_name": format!("pyresolve-{}", finding.kind),
            "description": format!("{}: {}", finding.kind, finding.said()),
            "fingerprint": Sha256::of(identity.as_bytes()).hex(),
            "severity": match finding.kind {
                Kind::Edited | Kind::Broken => "critical",
                Kind::Stale => "major",
                Kind::Nixpkgs | Kind::Superseded => "minor",
            },
            "location": {
                "path": finding.file,
                "lines": { "begin": finding.line.unwrap_or(1) },
            },
        })
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_ci_system_would_take_for_its_own_is_escaped() {
        let finding = Finding::new(Kind::Stale, "a,b:c", "100%\n::error::x").at(3);
        assert_eq!(
            github(std::slice::from_ref(&finding)),
            "::error file=a%2Cb%3Ac,line=3,title=pyresolve%3A stale::100%25%0A::error::x\n"
        );
        let report = gitlab(&[finding]);
        assert_eq!(report[0]["location"]["lines"]["begin"], 3);
        assert_eq!(report[0]["check_name"], "pyresolve-stale");
    }
}
