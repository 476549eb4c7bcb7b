//! The arguments of a module: where a new one belongs, and how one that nothing names any more goes.

use std::ops::Range;

use rowan::ast::AstNode as _;

use super::{Editor, pattern, range};

/// An argument: where it stands, and its name.
type Argument = (Range<usize>, String);

/// Arguments that every module may take; they stand in front.
const HEAD: [&str; 8] = [
    "lib",
    "stdenv",
    "buildPythonPackage",
    "buildPythonApplication",
    "pythonOlder",
    "pythonAtLeast",
    "rustPlatform",
    "python",
];

impl Editor {
    /// Adds arguments, each where it belongs.
    pub(super) fn add_arguments(
        &mut self,
        attrs: &[String],
        names: &[&str],
        anchors: &[String],
    ) -> Result<(), String> {
        let pattern = pattern(&self.root).ok_or("it has no arguments in braces")?;
        let entries: Vec<Argument> = pattern
            .pat_entries()
            .filter_map(|entry| {
                let name = entry.ident()?.syntax().text().to_string();
                Some((range(entry.syntax()), name))
            })
            .collect();
        let mut missing: Vec<&str> = attrs
            .iter()
            .map(|a| a.split('.').next().unwrap_or(a))
            .collect();
        missing.retain(|name| entries.iter().all(|(_, known)| known != name));
        missing.sort_unstable();
        missing.dedup();
        let groups = self.groups(&entries);
        let first = *groups.first().ok_or("it has no arguments")?;
        let home = self.home(&groups, names, anchors);
        let leading = self.leads_with_commas(&entries);
        if home.is_none() && groups.len() > 1 && !leading && !missing.is_empty() {
            // The file's arguments stand in groups, and there is none of these yet.
            return self.new_group(first, names, &missing);
        }
        let group = home.unwrap_or(first);
        let head = group.iter().take_while(|(_, name)| is_head(name)).count();
        let rest = group.get(head..).unwrap_or_default();
        for name in missing {
            match rest.iter().find(|(_, known)| known.as_str() > name) {
                Some((place, _)) => {
                    let gap = self.gap(place.start);
                    let text = match leading {
                        true => format!("{name}\n{}, ", self.indent(place.start)),
                        false => format!("{name},{gap}"),
                    };
                    self.edits.push((place.start..place.start, text));
                }
                None => self.append_argument(group, name, leading)?,
            }
        }
        Ok(())
    }

    /// Puts an argument behind the last of a group.
    fn append_argument(
        &mut self,
        group: &[Argument],
        name: &str,
        leading: bool,
    ) -> Result<(), String> {
        let (last, _) = group.last().ok_or("it has no arguments")?;
        if leading {
            let indent = self.indent(last.start);
            self.edits
                .push((last.end..last.end, format!("\n{indent}, {name}")));
            return Ok(());
        }
        let gap = self.gap(last.start);
        match self.comma_behind(last.end) {
            Some(at) => self.edits.push((at..at, format!("{gap}{name},"))),
            None => self
                .edits
                .push((last.end..last.end, format!(",{gap}{name}"))),
        }
        Ok(())
    }

    /// A group of its own, with the list's name above it, behind another.
    fn new_group(
        &mut self,
        behind: &[Argument],
        names: &[&str],
        new: &[&str],
    ) -> Result<(), String> {
        let (last, _) = behind.last().ok_or("it has no arguments")?;
        let at = self
            .comma_behind(last.end)
            .ok_or("its arguments end without a comma")?;
        let indent = self.indent(last.start);
        let mut text = format!(
            "\n\n{indent}# {}",
            names.first().copied().unwrap_or_default()
        );
        for name in new {
            text.push_str(&format!("\n{indent}{name},"));
        }
        self.edits.push((at..at, text));
        Ok(())
    }

    /// The place behind the comma that follows a place.
    fn comma_behind(&self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let comma = rest.find(|c: char| !c.is_whitespace())?;
        rest.get(comma..)?
            .starts_with(',')
            .then_some(at + comma + 1)
    }

    /// Whether lines of arguments begin with their commas, as nixpkgs once had it.
    fn leads_with_commas(&self, entries: &[Argument]) -> bool {
        entries.iter().skip(1).any(|(place, _)| {
            let before = self.text.get(..place.start).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            line.trim() == ","
        })
    }

    /// Arguments that stand together, without a comment or an empty line between them.
    fn groups<'e>(&self, entries: &'e [Argument]) -> Vec<&'e [Argument]> {
        let mut starts = vec![0];
        for (index, pair) in entries.windows(2).enumerate() {
            if let [a, b] = pair {
                let between = self.text.get(a.0.end..b.0.start).unwrap_or_default();
                if between.contains('#') || between.matches('\n').count() > 1 {
                    starts.push(index + 1);
                }
            }
        }
        starts.push(entries.len());
        let groups = starts.windows(2).filter_map(|pair| match pair {
            [a, b] => entries.get(*a..*b).filter(|group| !group.is_empty()),
            _ => None,
        });
        groups.collect()
    }

    /// The group to which a list's arguments belong: the one under a comment with the list's name, or
    /// else the one with another of them.
    fn home<'e>(
        &self,
        groups: &[&'e [Argument]],
        names: &[&str],
        anchors: &[String],
    ) -> Option<&'e [Argument]> {
        let under = |group: &&&[Argument]| {
            let first = group.first().map_or(0, |(place, _)| place.start);
            let above = self.text.get(..first).unwrap_or_default().trim_end();
            let comment = above.rsplit('\n').next().unwrap_or_default().trim();
            comment
                .strip_prefix('#')
                .is_some_and(|c| names.contains(&c.trim()))
        };
        let with = |group: &&&[Argument]| {
            let known = |name: &String| anchors.iter().any(|a| a.split('.').next() == Some(name));
            group.iter().any(|(_, name)| known(name) && !is_head(name))
        };
        groups
            .iter()
            .find(under)
            .or_else(|| groups.iter().find(with))
            .copied()
    }

    pub(super) fn remove_argument(&mut self, name: &str) {
        let Some(pattern) = pattern(&self.root) else {
            return;
        };
        let mut entries = pattern.pat_entries();
        let entry = entries.find(|entry| entry.ident().is_some_and(|i| i.syntax().text() == name));
        let Some(entry) = entry else {
            return;
        };
        let mut gone = range(entry.syntax());
        let rest = self.text.get(gone.end..).unwrap_or_default();
        let comma = rest.find(|c: char| !c.is_whitespace());
        gone.start -= self.blank_before(gone.start);
        if let Some(at) = comma.filter(|at| rest.get(*at..).is_some_and(|r| r.starts_with(','))) {
            gone.end += at + 1;
        } else if self
            .text
            .get(..gone.start)
            .is_some_and(|t| t.ends_with(','))
        {
            gone.start -= 1;
            gone.start -= self.blank_before(gone.start);
        }
        self.edits.push((gone, String::new()));
    }
}

/// Whether an argument stands in front, whatever its name.
pub(in crate::contribute) fn is_head(name: &str) -> bool {
    HEAD.contains(&name) || name.starts_with("fetch")
}
