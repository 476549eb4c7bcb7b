//! The project itself as a package: `buildPythonApplication` on top of the locked dependencies.

use super::Document;
use super::package::{Uses, meta};
use crate::nix::{Expr, Item, print};
use crate::plan::derivation::Meta;

/// What the package says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The project's name.
    pub name: String,
    /// Its version, where the files tell it.
    pub version: Option<String>,
    /// The variable by which its build system is told a version that it would ask git for.
    pub version_variable: Option<&'static str>,
    /// Attributes of the set that build it.
    pub build_system: Vec<String>,
    /// The program that it is known by.
    pub main_program: Option<String>,
    /// What a reader wants to know besides.
    pub meta: Meta,
}

/// Files and folders beside the project that are not part of it.
const ASIDE: &[&str] = &[
    ".direnv",
    ".venv",
    "build",
    "default.nix",
    "dependencies.nix",
    "dist",
    "flake.lock",
    "flake.nix",
    "image.nix",
    "package.nix",
    "pylock.toml",
    "shell.nix",
    "venv",
];

/// The file `package.nix`.
pub fn app(app: &App) -> Document {
    let mut uses = Uses::default();
    let mut items = vec![Item::bind("pname", Expr::str(app.name.as_str()))];
    if app.version.is_none() {
        let why = "the project's files leave the version to its build system";
        items.push(Item::Comment(why.to_owned()));
    }
    let version = app.version.as_deref().unwrap_or("0");
    items.push(Item::bind("version", Expr::str(version)));
    items.push(Item::bind("pyproject", Expr::Name("true")));
    items.extend([
        Item::Blank,
        Item::Comment(
            "without what is not part of the project: a change there builds nothing again"
                .to_owned(),
        ),
        Item::bind("src", source()),
    ]);
    if let Some(variable) = app.version_variable {
        let version = Item::bind(variable, Expr::str(version));
        items.extend([Item::Blank, Item::bind("env", Expr::Set(vec![version]))]);
    }
    let set = || Expr::Name("python").select("pkgs");
    if !app.build_system.is_empty() {
        let build = app.build_system.iter();
        let build = build.map(|attr| set().select(attr.as_str())).collect();
        items.extend([Item::Blank, Item::bind("build-system", Expr::List(build))]);
    }
    items.extend([
        Item::Blank,
        Item::Comment("what the project requires, at the versions of the lock".to_owned()),
        Item::bind("dependencies", Expr::Name("packages").apply(set())),
    ]);
    let mut about = match meta(&app.meta, &mut uses) {
        Expr::Set(items) => items,
        _ => Vec::new(),
    };
    if let Some(program) = &app.main_program {
        about.push(Item::bind("mainProgram", Expr::str(program.as_str())));
    }
    if !about.is_empty() {
        items.extend([Item::Blank, Item::bind("meta", Expr::Set(about))]);
    }
    let package = set()
        .select("buildPythonApplication")
        .apply(Expr::Set(items));
    Document {
        name: "package.nix".to_owned(),
        text: print(
            &file(package),
            &[format!(
                "{} as a program: `nix-build package.nix`.",
                app.name
            )],
        ),
    }
}

/// `{ pkgs ? import <nixpkgs> { } }: let … in package`
fn file(package: Expr) -> Expr {
    let nixpkgs = Expr::Name("import")
        .apply(Expr::SearchPath("nixpkgs"))
        .apply(Expr::empty_set());
    let locked = Expr::Name("import")
        .apply(Expr::File("dependencies.nix".to_owned()))
        .apply(Expr::Set(vec![Item::Inherit(None, vec!["pkgs"])]));
    let bindings = vec![
        Item::Inherit(Some(Expr::Name("pkgs")), vec!["lib"]),
        Item::bind("locked", locked),
        Item::Inherit(Some(Expr::Name("locked")), vec!["packages", "python"]),
    ];
    Expr::Formals(
        vec![("pkgs", Some(nixpkgs))],
        Box::new(Expr::Let(bindings, Box::new(package))),
    )
}

/// The project's folder without [`ASIDE`], caches, and what nixpkgs leaves out of any source: version
/// control, editors' files, Nix' own results.
fn source() -> Expr {
    let here = || Expr::File(".".to_owned());
    let text = |of: Expr| Expr::Name("toString").apply(of);
    let prefix = Expr::Binary(
        crate::nix::Operator::Plus,
        vec![text(here()), Expr::str("/")],
    );
    let below = Expr::Name("lib")
        .select("removePrefix")
        .apply(prefix)
        .apply(text(Expr::Name("path")));
    let elem = |what: Expr, names: Vec<Expr>| {
        Expr::Name("lib")
            .select("elem")
            .apply(what)
            .apply(Expr::List(names))
    };
    let aside = ASIDE.iter().map(|name| Expr::str(*name)).collect();
    let base = Expr::Name("baseNameOf").apply(Expr::Name("path"));
    let filter = Expr::If(
        Box::new(elem(below, aside)),
        Box::new(Expr::Name("false")),
        Box::new(Expr::If(
            Box::new(elem(
                base,
                vec![Expr::str("__pycache__"), Expr::str(".pytest_cache")],
            )),
            Box::new(Expr::Name("false")),
            Box::new(
                Expr::Name("lib")
                    .select("cleanSourceFilter")
                    .apply(Expr::Name("path"))
                    .apply(Expr::Name("type")),
            ),
        )),
    );
    Expr::Name("lib")
        .select("cleanSourceWith")
        .apply(Expr::Set(vec![
            Item::bind("src", here()),
            Item::bind("filter", filter.lambda("type").lambda("path")),
        ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_becomes_an_application() {
        let text = app(&App {
            name: "demo".to_owned(),
            version: None,
            version_variable: Some("SETUPTOOLS_SCM_PRETEND_VERSION"),
            build_system: vec!["setuptools".to_owned(), "setuptools-scm".to_owned()],
            main_program: Some("demo${x}".to_owned()),
            meta: Meta {
                description: Some("Says \"hello\"".to_owned()),
                ..Meta::default()
            },
        })
        .text;
        assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
        for part in [
            "# the project's files leave the version to its build system\n  version = \"0\";",
            "env = {\n    SETUPTOOLS_SCM_PRETEND_VERSION = \"0\";\n  };",
            "build-system = [\n    python.pkgs.setuptools\n    python.pkgs.setuptools-scm\n  ];",
            "dependencies = packages python.pkgs;",
            "mainProgram = \"demo\\${x}\";",
            "src = ./.;",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}
