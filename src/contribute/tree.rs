//! A checkout of nixpkgs that is to be changed: its list of Python packages, its modules, its
//! maintainers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rnix::ast::{self, HasEntry as _};
use rowan::ast::AstNode as _;

use super::ContributeError;
use crate::nix::read::parse;

/// The list of Python packages.
pub const LIST: &str = "pkgs/top-level/python-packages.nix";
/// The names of former attributes.
pub const ALIASES: &str = "pkgs/top-level/python-aliases.nix";
/// Who looks after packages.
const MAINTAINERS: &str = "maintainers/maintainer-list.nix";
/// The folder of modules.
pub const MODULES: &str = "pkgs/development/python-modules";
/// The largest file that is read.
const MAX_FILE: u64 = 8 << 20;

/// A checkout.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The checkout at a path.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> Result<Self, ContributeError> {
        let root = path
            .canonicalize()
            .map_err(|source| ContributeError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        if !root.join(LIST).is_file() {
            return Err(ContributeError::NotNixpkgs(path.to_owned()));
        }
        Ok(Self { root })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a file, by its path below the tree.
    ///
    /// # Errors
    /// When it cannot be read, or is no text.
    pub fn text(&self, path: &str) -> Result<String, ContributeError> {
        let place = self.root.join(path);
        let read = || {
            let length = std::fs::metadata(&place)?.len();
            if length > MAX_FILE {
                return Err(std::io::Error::other("it is larger than 8 MiB"));
            }
            std::fs::read_to_string(&place)
        };
        read().map_err(|source| ContributeError::Unreadable {
            path: place.clone(),
            source,
        })
    }

    /// Whether something is at a path below the tree.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    /// The file of a module.
    pub fn module(attr: &str) -> String {
        format!("{MODULES}/{attr}/default.nix")
    }

    /// The handles of all maintainers; none where the tree has no list of them.
    ///
    /// # Errors
    /// When the list is there and cannot be read.
    pub fn maintainers(&self) -> Result<Option<BTreeSet<String>>, ContributeError> {
        if !self.has(MAINTAINERS) {
            return Ok(None);
        }
        let text = self.text(MAINTAINERS)?;
        let no_place = |why: String| ContributeError::NoPlace {
            path: MAINTAINERS.to_owned(),
            why,
        };
        let expr = parse(&text).map_err(|error| no_place(error.to_string()))?;
        let set = inner_set(expr).ok_or_else(|| no_place("it is not a set".to_owned()))?;
        Ok(Some(names(&set)))
    }

    /// Refuses handles that the tree does not know.
    ///
    /// # Errors
    /// [`ContributeError::UnknownMaintainer`] for the first of them.
    pub fn check_maintainers(&self, handles: &[String]) -> Result<(), ContributeError> {
        let Some(known) = self.maintainers()?.filter(|_| !handles.is_empty()) else {
            return Ok(());
        };
        match handles.iter().find(|handle| !known.contains(*handle)) {
            Some(unknown) => Err(ContributeError::UnknownMaintainer(unknown.clone())),
            None => Ok(()),
        }
    }
}

/// The set that an expression comes down to, below functions, `let`, `with` and parentheses.
pub(super) fn inner_set(mut expr: ast::Expr) -> Option<ast::AttrSet> {
    for _ in 0..16 {
        expr = match expr {
            ast::Expr::AttrSet(set) => return Some(set),
            ast::Expr::Lambda(lambda) => lambda.body()?,
            ast::Expr::With(with) => with.body()?,
            ast::Expr::LetIn(inner) => inner.body()?,
            ast::Expr::Paren(paren) => paren.expr()?,
            _ => return None,
        };
    }
    None
}

/// The first names of everything that a set binds.
pub(super) fn names(set: &ast::AttrSet) -> BTreeSet<String> {
    let bound = set.attrpath_values().filter_map(|binding| {
        let first = binding.attrpath()?.attrs().next()?;
        attr_text(&first)
    });
    let inherited = set.inherits().flat_map(|inherit| inherit.attrs());
    bound
        .chain(inherited.filter_map(|attr| attr_text(&attr)))
        .collect()
}

/// An attribute's name, where it is not computed.
pub(super) fn attr_text(attr: &ast::Attr) -> Option<String> {
    match attr {
        ast::Attr::Ident(ident) => Some(ident.syntax().text().to_string()),
        ast::Attr::Str(text) => match text.normalized_parts().as_slice() {
            [] => Some(String::new()),
            [ast::InterpolPart::Literal(text)] => Some(text.clone()),
            _ => None,
        },
        ast::Attr::Dynamic(_) => None,
    }
}
