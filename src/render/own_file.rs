//! An entry as a file of its own, in the form that `callPackage` takes: its inputs are its arguments.
//!
//! The entry's expression is made for the middle of an overlay, with `final`, `prev` and `pkgs` around
//! it. Here every attribute that it takes from one of them becomes an argument. `callPackage` fills in
//! what it finds in the Python set and then in nixpkgs, so that only two kinds have to be given: what is
//! overridden (`prev`'s), and what is nixpkgs' own (a library that is called like a Python package).

use std::collections::BTreeSet;

use super::package::Uses;
use crate::nix::{Argument, Expr, Item, text};

/// A file of its own.
pub(super) struct OwnFile {
    /// `{ lib, buildPythonPackage, … }: …`
    pub function: Expr,
    /// What `callPackage` is given besides.
    pub given: Vec<Item>,
}

/// The names that an expression takes from the sets around it, in the order of their appearance.
#[derive(Default)]
struct Taken {
    from_final: Vec<String>,
    from_prev: Vec<String>,
    from_pkgs: Vec<String>,
}

/// Turns an entry's expression, in which `uses` says what of nixpkgs has a name, into a file in a
/// folder below the one that it was made for.
pub(super) fn detach(mut value: Expr, uses: &Uses) -> OwnFile {
    let taken = taken(&mut value);
    let fixed: BTreeSet<&str> = uses.names().into_iter().collect();
    let free = |name: &String, others: &[&Vec<String>]| {
        text::is_identifier(name)
            && !["pkgs", "python", "old", "final", "prev"].contains(&&**name)
            && !fixed.contains(&**name)
            && !others.iter().any(|other| other.contains(name))
    };
    let mut arguments = Arguments {
        prev: taken
            .from_prev
            .iter()
            .filter(|n| free(n, &[]))
            .cloned()
            .collect(),
        python: taken
            .from_final
            .iter()
            .filter(|n| free(n, &[&taken.from_prev]))
            .cloned()
            .collect(),
        pkgs: taken
            .from_pkgs
            .iter()
            .filter(|n| free(n, &[&taken.from_prev, &taken.from_final]))
            .cloned()
            .collect(),
        ..Arguments::default()
    };
    value.visit(&mut |expr| arguments.rewrite(expr));
    let mut given = Vec::new();
    if !arguments.prev.is_empty() {
        given.push(Item::Take(Expr::Name("prev"), arguments.prev.clone()));
    }
    if !arguments.pkgs.is_empty() {
        given.push(Item::Take(Expr::Name("pkgs"), arguments.pkgs.clone()));
    }
    if arguments.whole_prev {
        given.push(Item::bind("prev", Expr::Name("prev")));
    }
    OwnFile {
        function: Expr::Arguments(arguments.list(&fixed), Box::new(value)),
        given,
    }
}

/// What is taken from where.
fn taken(value: &mut Expr) -> Taken {
    let mut taken = Taken::default();
    value.visit(&mut |expr| {
        let Expr::Select(base, path) = expr else {
            return;
        };
        let list = match **base {
            Expr::Name("final") => &mut taken.from_final,
            Expr::Name("prev") => &mut taken.from_prev,
            Expr::Name("pkgs") => &mut taken.from_pkgs,
            _ => return,
        };
        if let Some(first) = path.first().filter(|first| !list.contains(*first)) {
            list.push(first.clone());
        }
    });
    taken
}

/// The arguments of a file.
#[derive(Default)]
struct Arguments {
    prev: Vec<String>,
    python: Vec<String>,
    pkgs: Vec<String>,
    whole_python: bool,
    whole_prev: bool,
    whole_pkgs: bool,
}

impl Arguments {
    fn rewrite(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Select(base, path) => {
                let Some(first) = path.first() else { return };
                let (names, whole) = match **base {
                    Expr::Name("final") => (&self.python, &mut self.whole_python),
                    Expr::Name("prev") => (&self.prev, &mut self.whole_prev),
                    Expr::Name("pkgs") => (&self.pkgs, &mut self.whole_pkgs),
                    _ => return,
                };
                if names.contains(first) {
                    let variable = Expr::Variable(path.remove(0));
                    *expr = if path.is_empty() {
                        variable
                    } else {
                        Expr::Select(Box::new(variable), std::mem::take(path))
                    };
                    return;
                }
                // Two things of one name, or a name that no argument can have.
                *whole = true;
                if matches!(**base, Expr::Name("final")) {
                    path.insert(0, "pkgs".to_owned());
                    **base = Expr::Name("python");
                }
            }
            Expr::File(name) => *expr = Expr::Path(format!("../{name}")),
            Expr::Path(path) => *path = format!("../{}", path.trim_start_matches("./")),
            _ => {}
        }
    }

    /// In nixpkgs' order: the library, what builds, what fetches, and then what is needed.
    fn list(&self, fixed: &BTreeSet<&str>) -> Vec<Argument> {
        const FIRST: [&str; 4] = ["lib", "stdenv", "pkgs", "prev"];
        const BUILDS: [&str; 2] = ["buildPythonPackage", "mkPythonMetaPackage"];
        let mut all: Vec<String> = Vec::new();
        let whole = [
            ("pkgs", self.whole_pkgs),
            ("prev", self.whole_prev),
            ("python", self.whole_python),
        ];
        let is_whole = |name: &str| whole.iter().any(|(n, used)| *n == name && *used);
        let first = FIRST.iter().filter(|n| fixed.contains(**n) || is_whole(n));
        all.extend(first.map(|name| (*name).to_owned()));
        all.extend(self.prev.iter().cloned());
        let builds = |name: &&String| BUILDS.contains(&&***name);
        all.extend(self.python.iter().filter(builds).cloned());
        let others = fixed.iter().filter(|name| !FIRST.contains(name));
        all.extend(others.map(|name| (*name).to_owned()));
        if self.whole_python {
            all.push("python".to_owned());
        }
        all.extend(self.python.iter().filter(|n| !builds(n)).cloned());
        all.extend(self.pkgs.iter().cloned());
        all.into_iter().map(Argument::Name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::print;

    fn printed(value: Expr, uses: &Uses) -> (String, String) {
        let file = detach(value, uses);
        (
            print(&file.function, &[]),
            print(&Expr::Set(file.given), &[]),
        )
    }

    #[test]
    fn inputs_become_arguments() {
        let value = Expr::Name("prev")
            .select("demo")
            .select("overridePythonAttrs")
            .apply(
                Expr::Set(vec![
                    Item::bind("src", Expr::Path("./own".to_owned())),
                    Item::bind(
                        "dependencies",
                        Expr::List(vec![
                            Expr::Name("final").select("zstd"),
                            Expr::Name("final").select("2to3"),
                            Expr::Name("final").select("plain"),
                        ]),
                    ),
                    Item::bind(
                        "buildInputs",
                        Expr::List(vec![
                            Expr::Name("pkgs").select("zstd"),
                            Expr::Name("pkgs").select("openssl").select("dev"),
                        ]),
                    ),
                ])
                .lambda("old"),
            );
        let uses = Uses {
            lib: true,
            ..Uses::default()
        };
        let (function, given) = printed(value, &uses);
        assert_eq!(
            function,
            "{
  lib,
  pkgs,
  demo,
  python,
  zstd,
  plain,
  openssl,
}:

demo.overridePythonAttrs (old: {
  src = ../own;
  dependencies = [
    zstd
    python.pkgs.\"2to3\"
    plain
  ];
  buildInputs = [
    pkgs.zstd
    openssl.dev
  ];
})
"
        );
        assert_eq!(
            given,
            "{
  inherit (prev) demo;
  inherit (pkgs) openssl;
}
"
        );
    }
}
