//! What is said of one node: that its version is in a range, or that it is not.

use crate::python::range::{Point, Range};

/// A statement about the version of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    /// The node is needed, at a version in the range.
    In(Range),
    /// The node is not needed, or at a version outside of the range.
    NotIn(Range),
}

impl Term {
    /// Needed at this version.
    pub fn exactly(point: &Point) -> Self {
        Term::In(Range::singleton(point.clone()))
    }

    pub fn negated(&self) -> Self {
        match self {
            Term::In(range) => Term::NotIn(range.clone()),
            Term::NotIn(range) => Term::In(range.clone()),
        }
    }

    /// Both hold.
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Term::In(a), Term::In(b)) => Term::In(a.intersection(b)),
            (Term::In(a), Term::NotIn(b)) | (Term::NotIn(b), Term::In(a)) => {
                Term::In(without(a, b))
            }
            (Term::NotIn(a), Term::NotIn(b)) => Term::NotIn(a.union(b)),
        }
    }

    /// One of them holds.
    pub fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Term::In(a), Term::In(b)) => Term::In(a.union(b)),
            (Term::In(a), Term::NotIn(b)) | (Term::NotIn(b), Term::In(a)) => {
                Term::NotIn(without(b, a))
            }
            (Term::NotIn(a), Term::NotIn(b)) => Term::NotIn(a.intersection(b)),
        }
    }

    /// Whether `other` holds whenever this does.
    pub fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Term::In(a), Term::In(b)) => a.subset_of(b),
            (Term::In(a), Term::NotIn(b)) => a.is_disjoint(b),
            (Term::NotIn(a), Term::NotIn(b)) => b.subset_of(a),
            (Term::NotIn(_), Term::In(_)) => false,
        }
    }

    /// Whether this and `other` cannot both hold.
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Term::In(a), Term::In(b)) => a.is_disjoint(b),
            (Term::In(a), Term::NotIn(b)) | (Term::NotIn(b), Term::In(a)) => a.subset_of(b),
            (Term::NotIn(_), Term::NotIn(_)) => false,
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Term::NotIn(range) if range.is_empty())
    }
}

fn without(range: &Range, hole: &Range) -> Range {
    range.intersection(&hole.complement())
}
