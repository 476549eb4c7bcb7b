//! A [`Derivation`] as a file of nixpkgs' own: `pkgs/development/python-modules/…/default.nix`, in
//! the form that its reviewers expect: arguments in sorted groups, `finalAttrs`, attributes in
//! nixpkgs' order.

use std::collections::BTreeSet;

use super::package::{
    Groups, Uses, files, needed_list, own_commands, post_patch, pre_patch, relaxed, source_root,
    strings,
};
use super::source::{format, src};
use crate::nix::{Argument, Expr, Item, Piece, print, text};
use crate::plan::derivation::{Fetch, Fetcher, License, Source};
use crate::plan::{Derivation, Needed};

/// What a module says: its derivation, and what only nixpkgs wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module<'a> {
    /// The package.
    pub derivation: &'a Derivation,
    /// The tag of the version, where the source is a repository's.
    pub tag: Option<String>,
    /// Attributes that the tests need, with the hook that runs them.
    pub checks: Vec<String>,
    /// Why there are no tests, or what is left out of them; one sentence a line.
    pub check_comments: Vec<String>,
    /// Its one executable, or the main one.
    pub main_program: Option<String>,
    /// Who looks after it.
    pub maintainers: Vec<String>,
    /// What stands in the place of a licence that is not certain; one sentence a line.
    pub open_license: Vec<String>,
}

/// The file's text.
pub fn module(module: &Module<'_>) -> String {
    let mut uses = Uses::default();
    let body = Body { module }.set(&mut uses);
    let call = Expr::Name("buildPythonPackage").apply(body.lambda("finalAttrs"));
    print(
        &Expr::Arguments(arguments(module, &uses), Box::new(call)),
        &[],
    )
}

/// The function's arguments: what every module takes, then what it needs, group by group. The first
/// group that needs something names it.
fn arguments(module: &Module<'_>, uses: &Uses) -> Vec<Argument> {
    let d = module.derivation;
    let mut head = vec!["lib", "stdenv", "buildPythonPackage"];
    head.retain(|name| match *name {
        "lib" => uses.lib,
        "stdenv" => uses.stdenv,
        _ => true,
    });
    let fetchers = uses.names().into_iter();
    head.extend(fetchers.filter(|name| !matches!(*name, "lib" | "stdenv")));
    let mut arguments: Vec<Argument> = head
        .iter()
        .map(|name| Argument::Name((*name).to_owned()))
        .collect();
    let mut said: BTreeSet<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let attrs = |needed: &[Needed]| {
        let first = |n: &Needed| n.attr.split('.').next().unwrap_or_default().to_owned();
        needed.iter().map(first).collect::<BTreeSet<String>>()
    };
    let optional: Vec<Needed> = d.optional.values().flatten().cloned().collect();
    let groups = [
        ("build-system", attrs(&d.build_system)),
        ("nativeBuildInputs", attrs(&d.native_inputs)),
        ("buildInputs", attrs(&d.inputs)),
        ("dependencies", attrs(&d.dependencies)),
        ("optional-dependencies", attrs(&optional)),
        ("tests", module.checks.iter().cloned().collect()),
    ];
    for (comment, names) in groups {
        let names: Vec<String> = names
            .into_iter()
            .filter(|n| said.insert(n.clone()))
            .collect();
        if !names.is_empty() {
            arguments.push(Argument::Blank);
            arguments.push(Argument::Comment(comment.to_owned()));
            arguments.extend(names.into_iter().map(Argument::Name));
        }
    }
    arguments
}

/// The attributes.
struct Body<'a> {
    module: &'a Module<'a>,
}

impl Body<'_> {
    fn set(&self, uses: &mut Uses) -> Expr {
        let d = self.module.derivation;
        let mut out = Groups(Vec::new());
        let mut head = vec![
            Item::bind("pname", Expr::str(d.pname.as_str())),
            Item::bind("version", Expr::str(d.version.as_str())),
        ];
        head.extend(format(&d.source, false));
        out.add(head);
        out.add(vec![Item::bind("src", self.src(uses))]);
        out.add(source_root(d));
        out.list("patches", files(&d.patches));
        out.add(own_commands("prePatch", pre_patch(d)));
        out.add(own_commands("postPatch", post_patch(d)));
        out.add(self.cargo(uses));
        relaxed(d, false, &mut out);
        let mut list = |name: &str, needed: &[Needed]| {
            out.list(name, needed_list("", needed, uses));
        };
        list("build-system", &d.build_system);
        list("nativeBuildInputs", &d.native_inputs);
        list("buildInputs", &d.inputs);
        if d.own_cmake {
            out.add(vec![
                Item::Comment("the build system runs CMake itself".to_owned()),
                Item::bind("dontUseCmakeConfigure", Expr::Name("true")),
            ]);
        }
        out.list("dependencies", needed_list("", &d.dependencies, uses));
        if !d.optional.is_empty() {
            let extras = d.optional.iter();
            let extras = extras
                .map(|(extra, needed)| Item::bind(extra.as_str(), needed_list("", needed, uses)));
            let extras = Expr::Set(extras.collect());
            out.add(vec![Item::bind("optional-dependencies", extras)]);
        }
        self.checks(&mut out);
        out.list("pythonImportsCheck", strings(&d.imports));
        out.add(vec![Item::bind("meta", self.meta(uses))]);
        Expr::Set(out.0)
    }

    /// The source, its version taken from `finalAttrs` where it is the same.
    fn src(&self, uses: &mut Uses) -> Expr {
        let d = self.module.derivation;
        let Source::Sdist(Fetch {
            fetcher,
            sha256: Some(sha256),
        }) = &d.source
        else {
            return src(&d.source, uses);
        };
        let own = |names: Vec<&'static str>| Item::Inherit(Some(Expr::Name("finalAttrs")), names);
        let mut items = Vec::new();
        let function = match fetcher {
            Fetcher::PypiSdist {
                pname,
                version,
                extension,
            } => {
                uses.fetch_pypi = true;
                match (*pname == d.pname, *version == d.version) {
                    (true, true) => items.push(own(vec!["pname", "version"])),
                    (same_name, same_version) => {
                        items.push(if same_name {
                            own(vec!["pname"])
                        } else {
                            Item::bind("pname", Expr::str(pname.as_str()))
                        });
                        items.push(if same_version {
                            own(vec!["version"])
                        } else {
                            Item::bind("version", Expr::str(version.as_str()))
                        });
                    }
                }
                if extension != "tar.gz" {
                    items.push(Item::bind("extension", Expr::str(extension.as_str())));
                }
                "fetchPypi"
            }
            Fetcher::GitHub { owner, repo, rev } => {
                uses.fetch_from_github = true;
                items.push(Item::bind("owner", Expr::str(owner.as_str())));
                items.push(Item::bind("repo", Expr::str(repo.as_str())));
                items.push(match &self.module.tag {
                    Some(tag) => Item::bind("tag", self.versioned(tag)),
                    None => Item::bind("rev", Expr::str(rev.as_str())),
                });
                "fetchFromGitHub"
            }
            Fetcher::Url { url, name } => {
                uses.fetchurl = true;
                if let Some(name) = name {
                    items.push(Item::bind("name", self.versioned(name)));
                }
                items.push(Item::bind("url", self.versioned(url)));
                "fetchurl"
            }
            _ => return src(&d.source, uses),
        };
        items.push(Item::bind("hash", Expr::str(sha256.sri())));
        Expr::Name(function).apply(Expr::Set(items))
    }

    /// A text in which the version stands for itself.
    fn versioned(&self, whole: &str) -> Expr {
        let version = self.module.derivation.version.as_str();
        let value = || Expr::Name("finalAttrs").select("version");
        if let Some("") = whole.strip_prefix(version) {
            return value();
        }
        let places = places(whole, version);
        if places.is_empty() {
            return Expr::str(whole);
        }
        let mut pieces = Vec::new();
        let mut from = 0;
        for at in places {
            if let Some(part) = whole.get(from..at).filter(|part| !part.is_empty()) {
                pieces.push(Piece::Text(part.to_owned()));
            }
            pieces.push(Piece::Value(value()));
            from = at + version.len();
        }
        if let Some(part) = whole.get(from..).filter(|part| !part.is_empty()) {
            pieces.push(Piece::Text(part.to_owned()));
        }
        Expr::Template(pieces)
    }

    /// The crates' digest can only be learnt by fetching them.
    fn cargo(&self, uses: &mut Uses) -> Vec<Item> {
        let Some(rust) = &self.module.derivation.rust else {
            return Vec::new();
        };
        uses.rust = true;
        uses.lib = true;
        let names = vec!["pname", "version", "src"];
        let mut arguments = vec![Item::Inherit(Some(Expr::Name("finalAttrs")), names)];
        let mut items = Vec::new();
        if !rust.root.is_empty() {
            items.push(Item::bind("cargoRoot", Expr::str(rust.root.as_str())));
            arguments.push(Item::bind("cargoRoot", Expr::str(rust.root.as_str())));
        }
        let fake = Expr::Name("lib").select("fakeHash");
        arguments.push(Item::Comment(
            "TODO: build once, and put here what Nix says".to_owned(),
        ));
        arguments.push(Item::bind("hash", fake));
        let vendor = Expr::Name("rustPlatform").select("fetchCargoVendor");
        items.push(Item::bind("cargoDeps", vendor.apply(Expr::Set(arguments))));
        items
    }

    fn checks(&self, out: &mut Groups) {
        let module = self.module;
        let comments = module.check_comments.iter();
        let mut items: Vec<Item> = comments.map(|line| Item::Comment(line.clone())).collect();
        if module.checks.is_empty() {
            // A comment in the place of the tests: nothing runs them.
            out.add(items);
            return;
        }
        let names: BTreeSet<&String> = module.checks.iter().collect();
        let names = names.into_iter().map(|n| Expr::Variable(n.clone()));
        items.push(Item::bind("nativeCheckInputs", Expr::List(names.collect())));
        out.add(items);
    }

    fn meta(&self, uses: &mut Uses) -> Expr {
        let meta = &self.module.derivation.meta;
        let mut items = Vec::new();
        if let Some(description) = &meta.description {
            items.push(Item::bind("description", Expr::str(description.as_str())));
        }
        if let Some(homepage) = &meta.homepage {
            items.push(Item::bind("homepage", Expr::str(homepage.as_str())));
        }
        if let Some(changelog) = &meta.changelog {
            items.push(Item::bind("changelog", self.changelog(changelog)));
        }
        match &meta.license {
            Some(License::One(attr)) => {
                uses.lib = true;
                let licence = Expr::Name("lib").select("licenses").select(attr.as_str());
                items.push(Item::bind("license", licence));
            }
            Some(License::Several(attrs)) => {
                uses.lib = true;
                let all = attrs.iter().map(|attr| Expr::Variable(attr.clone()));
                let all = Box::new(Expr::List(all.collect()));
                let names = Box::new(Expr::Name("lib").select("licenses"));
                items.push(Item::bind("license", Expr::With(names, all)));
            }
            None => {
                let lines = self.module.open_license.iter();
                items.extend(lines.map(|line| Item::Comment(line.clone())));
            }
        }
        if meta.binary {
            uses.lib = true;
            let native = Expr::Name("lib").select("sourceTypes");
            let native = native.select("binaryNativeCode");
            items.push(Item::bind("sourceProvenance", Expr::List(vec![native])));
        }
        let maintainers = self.module.maintainers.iter();
        let maintainers: Vec<Expr> = maintainers.map(|m| Expr::Variable(m.clone())).collect();
        items.push(Item::bind(
            "maintainers",
            if maintainers.is_empty() {
                Expr::List(maintainers)
            } else {
                uses.lib = true;
                let all = Expr::Name("lib").select("maintainers");
                Expr::With(Box::new(all), Box::new(Expr::List(maintainers)))
            },
        ));
        if let Some(program) = &self.module.main_program {
            items.push(Item::bind("mainProgram", Expr::str(program.as_str())));
        }
        if !meta.platforms.is_empty() {
            let systems: Vec<String> = meta.platforms.iter().map(ToString::to_string).collect();
            items.push(Item::bind("platforms", strings(&systems)));
        }
        Expr::Set(items)
    }

    /// Where the source is a tag, the notes of the release are found by it.
    fn changelog(&self, changelog: &str) -> Expr {
        if let Some(tag) = &self.module.tag
            && let Some(rest) = changelog.strip_suffix(tag.as_str())
            && rest.ends_with('/')
        {
            let tag = Expr::Name("finalAttrs").select("src").select("tag");
            return Expr::Template(vec![Piece::Text(rest.to_owned()), Piece::Value(tag)]);
        }
        self.versioned(changelog)
    }
}

/// Where a version stands in a text, not as a part of another number.
fn places(whole: &str, version: &str) -> Vec<usize> {
    if !version.contains('.') {
        return Vec::new();
    }
    let found = whole.match_indices(version).map(|(at, _)| at);
    let stands_alone = |at: &usize| {
        let before = whole.get(..*at).and_then(|text| text.chars().next_back());
        let after = whole.get(at + version.len()..);
        let after = after.unwrap_or_default();
        let mut after = after.chars();
        let next = after.next();
        let goes_on = next.is_some_and(|c| c.is_ascii_digit())
            || (next == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit()));
        !before.is_some_and(|c| c.is_ascii_digit() || c == '.') && !goes_on
    };
    found.filter(stands_alone).collect()
}

/// Whether a name can be an argument of a module.
pub fn is_argument(name: &str) -> bool {
    name.split('.').all(text::is_identifier)
}
