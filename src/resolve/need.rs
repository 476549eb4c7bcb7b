//! What the user and what releases need, with constraints and overrides worked in.

use super::node::ExtraId;
use super::project::{Known, Line, Need, NeedsResult, Project, Source, show};
use super::universe::Universe;
use super::{Fault, Unusable};
use crate::python::{ExtraName, Metadata, PackageName, Requirement, TargetSet, Wanted};

impl Universe<'_> {
    /// What the user requires.
    pub fn root_needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        for (position, requirement) in self.input.requirements.iter().enumerate() {
            let overridden = self.is_overridden(&requirement.name);
            let targets = self.asked(requirement, None, overridden);
            self.add_needs(
                requirement,
                targets,
                Line::Requirement(position),
                &mut needs,
            );
        }
        needs
    }

    /// What a release needs, or what one extra of it adds to that.
    pub fn needs(
        &self,
        project: &Project,
        known: &Known,
        extra: Option<ExtraId>,
    ) -> Result<NeedsResult, Fault> {
        if let Some(needs) = known.needs.borrow().get(&extra) {
            return Ok(needs.clone());
        }
        if self.assumes(&project.name, known.point.version()) {
            return Ok(Ok([].into()));
        }
        let source = self.source(project)?;
        let needs = match self.metadata(source, known)? {
            Err(unusable) => Err(unusable.clone()),
            Ok(metadata) => self.needs_of(source, metadata, extra)?,
        };
        known.needs.borrow_mut().insert(extra, needs.clone());
        Ok(needs)
    }

    fn needs_of(
        &self,
        source: &Source,
        metadata: &Metadata,
        extra: Option<ExtraId>,
    ) -> Result<NeedsResult, Fault> {
        let mut needs = Vec::new();
        let asked: Vec<ExtraName> = extra.iter().map(|&e| self.extra_name(e)).collect();
        let lines = &metadata.requires_dist;
        for position in (0..lines.len()).filter(|&p| lines.concerns(p, &asked)) {
            let Some(requirement) = lines.get(position) else {
                continue;
            };
            let overridden = self.is_overridden(&requirement.name);
            let base = self.asked(requirement, None, overridden);
            let targets = match extra {
                None => base,
                Some(_) => self.asked(requirement, extra, overridden).without(base),
            };
            if targets.is_empty() {
                continue;
            }
            if requirement.specifiers().is_none() && !overridden {
                let known = self.direct.borrow().get(&requirement.name).cloned();
                let is_there = |known: &Wanted| known.is_same_place(&requirement.wanted);
                if !known.as_ref().is_some_and(is_there) {
                    return match known {
                        Some(known) => Ok(Err(Unusable::Elsewhere {
                            requirement: requirement.to_string(),
                            place: show(&known),
                        })),
                        None if source.direct.is_none() => {
                            Ok(Err(Unusable::Address(requirement.to_string())))
                        }
                        None => {
                            self.add_direct(&requirement.name, &requirement.wanted);
                            Err(Fault::Restart)
                        }
                    };
                }
            }
            self.add_needs(requirement, targets, Line::Metadata(position), &mut needs);
        }
        Ok(Ok(needs.into()))
    }

    /// The targets that a requirement is for. An override replaces it on all of them.
    fn asked(
        &self,
        requirement: &Requirement,
        extra: Option<ExtraId>,
        overridden: bool,
    ) -> TargetSet {
        if !overridden {
            return self.targets(&requirement.marker, extra);
        }
        let extras: Vec<ExtraName> = extra.iter().map(|&e| self.extra_name(e)).collect();
        if requirement.marker.evaluate_extras(&extras) {
            self.input.targets.all()
        } else {
            TargetSet::NONE
        }
    }

    fn is_overridden(&self, name: &PackageName) -> bool {
        self.by_name.overrides.contains_key(name)
    }

    /// Adds the need that a line expresses, or what the user puts in its place, and the
    /// constraints on the project.
    fn add_needs(
        &self,
        requirement: &Requirement,
        targets: TargetSet,
        line: Line,
        needs: &mut Vec<Need>,
    ) {
        if targets.is_empty() {
            return;
        }
        match self.by_name.overrides.get(&requirement.name) {
            None => self.add_need(requirement, targets, line, needs),
            Some(positions) => {
                for &position in positions {
                    let line = Line::Override(position);
                    let Some(instead) = self.input.overrides.get(position) else {
                        continue;
                    };
                    let targets = targets.and(self.targets(&instead.marker, None));
                    self.add_need(instead, targets, line, needs);
                }
            }
        }
    }

    fn add_need(
        &self,
        requirement: &Requirement,
        targets: TargetSet,
        line: Line,
        needs: &mut Vec<Need>,
    ) {
        if targets.is_empty() {
            return;
        }
        if self.leaves_out(&requirement.name) {
            return;
        }
        let to = self.project(&requirement.name).id;
        let range = self.range(&requirement.wanted);
        self.foresee(requirement, &range);
        let mut extras = self.extras.borrow_mut();
        needs.push(Need {
            to,
            extras: requirement.extras.iter().map(|e| extras.extra(e)).collect(),
            range,
            targets,
            line,
        });
        drop(extras);
        let constraints = self.by_name.constraints.get(&requirement.name);
        for &position in constraints.into_iter().flatten() {
            let Some(constraint) = self.input.constraints.get(position) else {
                continue;
            };
            let targets = targets.and(self.targets(&constraint.marker, None));
            if !targets.is_empty() {
                needs.push(Need {
                    to,
                    extras: Vec::new(),
                    range: self.range(&constraint.wanted),
                    targets,
                    line: Line::Constraint(position),
                });
            }
        }
    }

    /// The requirement behind a line of a release, or of the user.
    pub fn requirement<'m>(
        &'m self,
        line: Line,
        metadata: Option<&'m Metadata>,
    ) -> Option<&'m Requirement> {
        match line {
            Line::Requirement(position) => self.input.requirements.get(position),
            Line::Constraint(position) => self.input.constraints.get(position),
            Line::Override(position) => self.input.overrides.get(position),
            Line::Metadata(position) => metadata?.requires_dist.get(position).map(AsRef::as_ref),
        }
    }
}
