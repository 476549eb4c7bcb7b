//! One definition of the overlay: nixpkgs' own, an override, or a package.
//!
//! Packages are plain sets with literal values, which every current nixpkgs takes, in the order that
//! its reviewers expect. Names come from a fixed list: nixpkgs takes unknown ones silently.

mod inputs;

use std::collections::BTreeSet;

use super::source::{format, src};
use crate::nix::{Expr, Item, Operator, text};
use crate::plan::derivation::{
    License, Meta, OldNames, OldScript, Patches, Source, Variable, VersionVariable,
};
use crate::plan::{Condition, Definition, Derivation, Needed};
use inputs::inputs;

/// Which of `pkgs`' attributes an expression mentions.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub fetch_pypi: bool,
    pub fetchurl: bool,
    pub fetch_from_github: bool,
    pub fetchgit: bool,
    pub lib: bool,
    pub rust: bool,
    pub stdenv: bool,
}

impl Uses {
    pub fn names(&self) -> Vec<&'static str> {
        let all = [
            (self.fetch_pypi, "fetchPypi"),
            (self.fetchurl, "fetchurl"),
            (self.fetch_from_github, "fetchFromGitHub"),
            (self.fetchgit, "fetchgit"),
            (self.lib, "lib"),
            (self.rust, "rustPlatform"),
            (self.stdenv, "stdenv"),
        ];
        let used = all.into_iter().filter(|(used, _)| *used);
        used.map(|(_, name)| name).collect()
    }
}

/// What an attribute is.
pub(super) fn definition(definition: &Definition, uses: &mut Uses) -> Expr {
    match definition {
        Definition::Nixpkgs(attr) => Expr::Name("prev").select(attr.as_str()),
        Definition::Alias(attr) => Expr::Name("final").select(attr.as_str()),
        Definition::With(attr, inputs) => {
            let inputs = inputs.iter();
            let inputs = inputs.map(|(argument, attr)| {
                Item::bind(argument.as_str(), Expr::Name("final").select(attr.as_str()))
            });
            Expr::Name("prev")
                .select(attr.as_str())
                .select("override")
                .apply(Expr::Set(inputs.collect()))
        }
        Definition::Override(attr, derivation) => Expr::Name("prev")
            .select(attr.as_str())
            .select("overridePythonAttrs")
            .apply(override_of(derivation, uses).lambda("old")),
        Definition::New(derivation) => Expr::Name("final")
            .select("buildPythonPackage")
            .apply(package(derivation, uses)),
        Definition::Stand(stand) => {
            Expr::Name("final")
                .select("mkPythonMetaPackage")
                .apply(Expr::Set(vec![
                    Item::bind("pname", Expr::str(stand.pname.as_str())),
                    Item::bind("version", Expr::str(stand.version.as_str())),
                    Item::bind(
                        "dependencies",
                        Expr::List(vec![Expr::Name("final").select(stand.provider.as_str())]),
                    ),
                ]))
        }
    }
}

/// A condition, as an expression.
pub(super) fn condition(condition: &Condition, uses: &mut Uses) -> Expr {
    uses.stdenv = true;
    let platform = || Expr::Name("stdenv").select("hostPlatform");
    match condition {
        Condition::Platform(predicates) => match predicates.as_slice() {
            [one] => platform().select(*one),
            many => Expr::Binary(
                Operator::And,
                many.iter().map(|p| platform().select(*p)).collect(),
            ),
        },
        Condition::Systems(systems) => {
            uses.lib = true;
            let systems = systems.iter().map(|s| Expr::str(s.name())).collect();
            Expr::Name("lib")
                .select("elem")
                .apply(platform().select("system"))
                .apply(Expr::List(systems))
        }
    }
}

/// The hook of `rustPlatform` that an attribute path names: the set is at hand for `cargoDeps` anyway.
fn rust_hook(attr: &str) -> Option<&str> {
    attr.strip_prefix("rustPlatform.")
}

/// `[ from.a … ] ++ lib.optionals … [ from.b ]`. Attributes of the top level may be paths. With
/// nothing to take them from they are variables: the arguments of a module.
pub(super) fn needed_list(from: &'static str, needed: &[Needed], uses: &mut Uses) -> Expr {
    uses.rust |= from == "pkgs" && needed.iter().any(|n| rust_hook(&n.attr).is_some());
    let attr = |n: &Needed| match from {
        "pkgs" => match rust_hook(&n.attr) {
            Some(hook) => Expr::Name("rustPlatform").select(hook),
            None => n.attr.split('.').fold(Expr::Name(from), Expr::select),
        },
        "" => {
            let (first, rest) = n.attr.split_once('.').unwrap_or((&n.attr, ""));
            let parts = rest.split('.').filter(|part| !part.is_empty());
            parts.fold(Expr::Variable(first.to_owned()), Expr::select)
        }
        _ => Expr::Name(from).select(n.attr.as_str()),
    };
    let always = needed.iter().filter(|n| n.condition.is_none());
    let always = Expr::List(always.map(attr).collect());
    let mut conditions: Vec<&Condition> =
        needed.iter().filter_map(|n| n.condition.as_ref()).collect();
    conditions.sort();
    conditions.dedup();
    let mut parts = vec![always];
    for on in conditions {
        uses.lib = true;
        let these = needed.iter().filter(|n| n.condition.as_ref() == Some(on));
        parts.push(
            Expr::Name("lib")
                .select("optionals")
                .apply(condition(on, uses))
                .apply(Expr::List(these.map(attr).collect())),
        );
    }
    if parts.len() > 1 && parts.first() == Some(&Expr::List(Vec::new())) {
        parts.remove(0);
    }
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        Expr::Binary(Operator::Concat, parts)
    }
}

/// Items in groups, a blank line between groups.
pub(super) struct Groups(pub Vec<Item>);

impl Groups {
    pub fn add(&mut self, group: Vec<Item>) {
        if group.is_empty() {
            return;
        }
        if !self.0.is_empty() {
            self.0.push(Item::Blank);
        }
        self.0.extend(group);
    }

    pub fn list(&mut self, name: &str, list: Expr) {
        if list != Expr::List(Vec::new()) {
            self.add(vec![Item::bind(name, list)]);
        }
    }
}

fn package(d: &Derivation, uses: &mut Uses) -> Expr {
    let mut out = Groups(Vec::new());
    let mut head = vec![
        Item::bind("pname", Expr::str(d.pname.as_str())),
        Item::bind("version", Expr::str(d.version.as_str())),
    ];
    head.extend(format(&d.source, false));
    out.add(head);
    out.add(vec![Item::bind("src", src(&d.source, uses))]);
    out.add(source_root(d));
    out.list("patches", files(&d.patches));
    out.add(own_commands("prePatch", pre_patch(d)));
    out.add(own_commands("postPatch", post_patch(d)));
    out.add(rust(d, false, uses));
    variables(d, false, &mut out);
    relaxed(d, false, &mut out);
    out.list("build-system", needed_list("final", &d.build_system, uses));
    inputs(d, false, &mut out, uses);
    out.list("dependencies", needed_list("final", &d.dependencies, uses));
    if !d.optional.is_empty() {
        out.add(vec![Item::bind("optional-dependencies", optional(d, uses))]);
    }
    if let Some(check) = d.do_check {
        out.add(vec![Item::bind("doCheck", truth(check))]);
    }
    out.list("pythonImportsCheck", strings(&d.imports));
    let meta = meta(&d.meta, uses);
    if meta != Expr::empty_set() {
        out.add(vec![Item::bind("meta", meta)]);
    }
    Expr::Set(out.0)
}

/// What must change besides the version: the old recipe was written for the old source. Import checks
/// stay as nixpkgs has them.
fn override_of(d: &Derivation, uses: &mut Uses) -> Expr {
    let mut out = Groups(Vec::new());
    let mut head = vec![Item::bind("version", Expr::str(d.version.as_str()))];
    if d.recipe.format {
        head.extend(format(&d.source, true));
    }
    out.add(head);
    out.add(vec![Item::bind("src", src(&d.source, uses))]);
    out.add(source_root(d));
    taken_back(d, &mut out);
    out.add(rust(d, true, uses));
    variables(d, true, &mut out);
    relaxed(d, true, &mut out);
    out.add(build_system(d, uses));
    inputs(d, true, &mut out, uses);
    out.add(vec![Item::bind(
        "dependencies",
        needed_list("final", &d.dependencies, uses),
    )]);
    if let Some(propagated) = &d.recipe.propagated {
        let list = needed_list("pkgs", propagated, uses);
        out.add(vec![
            Item::Comment("the old name for dependencies".to_owned()),
            Item::bind("propagatedBuildInputs", list),
        ]);
    }
    if !d.optional.is_empty() {
        let old = Expr::Name("old").select_or("optional-dependencies", Expr::empty_set());
        let value = Expr::Binary(Operator::Update, vec![old, optional(d, uses)]);
        out.add(vec![Item::bind("optional-dependencies", value)]);
    }
    if let Some(check) = d.do_check {
        out.add(vec![Item::bind("doCheck", truth(check))]);
    } else if d.recipe.tests {
        let tests = match d.source {
            Source::Sdist(_) => "the recipe's tests may not be in this source",
            Source::Wheel(_) | Source::Wheels(_) => "a wheel has no tests",
        };
        out.add(vec![
            Item::Comment(tests.to_owned()),
            Item::bind("doCheck", Expr::Name("false")),
        ]);
    }
    if let Some(paths) = &d.recipe.disabled_test_paths {
        let why = "the others are not in this source".to_owned();
        let paths = Item::bind("disabledTestPaths", strings(paths));
        out.add(vec![Item::Comment(why), paths]);
    }
    out.add(vec![Item::bind("meta", overridden_meta(&d.meta))]);
    Expr::Set(out.0)
}

fn build_system(d: &Derivation, uses: &mut Uses) -> Vec<Item> {
    let ours = needed_list("final", &d.build_system, uses);
    let Some(why) = d.keeps_build_system else {
        return vec![Item::bind("build-system", ours)];
    };
    let old = Expr::Name("old").select_or("build-system", Expr::List(Vec::new()));
    // Of two versions of a tool Python takes the first.
    let list = match ours {
        Expr::List(none) if none.is_empty() => old,
        Expr::Binary(Operator::Concat, mut parts) => {
            parts.push(old);
            Expr::Binary(Operator::Concat, parts)
        }
        ours => Expr::Binary(Operator::Concat, vec![ours, old]),
    };
    vec![
        Item::Comment(why.to_owned()),
        Item::bind("build-system", list),
    ]
}

/// Where the project lies in its repository, unless at the root.
pub(super) fn source_root(d: &Derivation) -> Vec<Item> {
    let root = d.source_root.as_deref();
    root.map(|root| Item::bind("sourceRoot", Expr::str(root)))
        .into_iter()
        .collect()
}

/// What the recipe says of the old source, as far as it cannot stay.
fn taken_back(d: &Derivation, out: &mut Groups) {
    let recipe = &d.recipe;
    let undone = [
        (
            recipe.source_root && d.source_root.is_none(),
            "sourceRoot",
            Expr::Name("null"),
        ),
        (
            recipe.cargo && d.rust.is_none(),
            "cargoDeps",
            Expr::Name("null"),
        ),
    ];
    let undone = undone.into_iter().filter(|(needed, ..)| *needed);
    let mut items: Vec<Item> = undone.map(|(_, name, no)| Item::bind(name, no)).collect();
    let mut groups = Vec::new();
    let mut changed = vec![("patches", patches(d))];
    let ours = |name| match name {
        "prePatch" => pre_patch(d),
        "postPatch" => post_patch(d),
        _ => (Vec::new(), Vec::new()),
    };
    for name in ["prePatch", "postPatch", "preConfigure", "preBuild"] {
        let (comments, commands) = ours(name);
        let script = script(name, recipe.scripts.get(name), commands);
        changed.push((
            name,
            script.map(|(comments_too, expr)| (comments, comments_too, expr)),
        ));
    }
    for (name, value) in changed {
        let Some((mut comments, own, value)) = value else {
            continue;
        };
        let dropped = recipe.dropped.get(name).filter(|_| own);
        comments.splice(0..0, dropped.into_iter().flatten().cloned());
        if comments.is_empty() && own {
            items.push(Item::bind(name, value));
            continue;
        }
        let mut group: Vec<Item> = comments.into_iter().map(Item::Comment).collect();
        group.push(Item::bind(name, value));
        groups.push(group);
    }
    if !items.is_empty() {
        let why = "the recipe's were for its own source".to_owned();
        items.insert(0, Item::Comment(why));
    }
    out.add(items);
    for group in groups {
        out.add(group);
    }
}

/// Comments, whether the old value is changed, and the new value.
type Changed = (Vec<String>, bool, Expr);

/// The patches that still apply, then the user's.
fn patches(d: &Derivation) -> Option<Changed> {
    let old = || Expr::Name("old").select_or("patches", Expr::List(Vec::new()));
    let ours = || files(&d.patches);
    let kept = match &d.recipe.patches {
        Patches::Keep if d.patches.is_empty() => return None,
        Patches::Keep => Some(old()),
        Patches::Only(names) => Some(
            Expr::Name("builtins")
                .select("filter")
                .apply(
                    Expr::Name("builtins")
                        .select("elem")
                        .apply(Expr::Name("baseNameOf").apply(Expr::Name("patch")))
                        .apply(strings(names))
                        .lambda("patch"),
                )
                .apply(Expr::Name("old").select("patches")),
        ),
        Patches::Drop => None,
    };
    let own = d.recipe.patches != Patches::Keep;
    let value = match kept {
        Some(kept) if d.patches.is_empty() => kept,
        Some(kept) => Expr::Binary(Operator::Concat, vec![kept, ours()]),
        None => ours(),
    };
    Some((Vec::new(), own, value))
}

/// What is left of a recipe's fragment, then our own commands.
fn script(name: &'static str, old: Option<&OldScript>, ours: Vec<String>) -> Option<(bool, Expr)> {
    let had = || Expr::Name("old").select(name);
    let tolerant = || {
        let word = |word: &str| Expr::List(vec![Expr::str(word)]);
        Expr::Name("builtins")
            .select("replaceStrings")
            .apply(word("--replace-fail"))
            .apply(word("--replace-warn"))
            .apply(had())
    };
    let kept = match old {
        None | Some(OldScript::Keep) if ours.is_empty() => return None,
        None => None,
        Some(OldScript::Keep) => Some(had()),
        Some(OldScript::Tolerant) => Some(tolerant()),
        Some(OldScript::Rewritten(lines)) => {
            let all = lines.iter().cloned().chain(ours).collect();
            return Some((true, commands_of(all)));
        }
        Some(OldScript::Drop) => None,
    };
    let changed = old.is_some_and(|old| *old != OldScript::Keep);
    let value = match kept {
        Some(kept) if ours.is_empty() => kept,
        Some(kept) => {
            // The old text need not end with its line.
            let ours = std::iter::once(String::new()).chain(ours).collect();
            Expr::Binary(Operator::Plus, vec![kept, Expr::Lines(ours)])
        }
        None if ours.is_empty() => Expr::str(""),
        None => commands_of(ours),
    };
    Some((changed, value))
}

/// nixpkgs' changelog address may be made from the old source, which is gone.
fn overridden_meta(meta: &Meta) -> Expr {
    let old = Expr::Name("old").select_or("meta", Expr::empty_set());
    match &meta.changelog {
        Some(changelog) => Expr::Binary(
            Operator::Update,
            vec![
                old,
                Expr::Set(vec![Item::bind("changelog", Expr::str(changelog.as_str()))]),
            ],
        ),
        None => Expr::Name("removeAttrs")
            .apply(old)
            .apply(Expr::List(vec![Expr::str("changelog")])),
    }
}

/// Comments and commands that make the files which setup.py misses.
pub(super) fn pre_patch(d: &Derivation) -> (Vec<String>, Vec<String>) {
    if d.missing_files.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut commands = Vec::new();
    for file in &d.missing_files {
        let file = if file.starts_with('-') {
            format!("./{file}")
        } else {
            file.clone()
        };
        if let Some((folder, _)) = file.rsplit_once('/').filter(|(folder, _)| *folder != ".") {
            commands.push(format!("mkdir -p {}", text::shell_word(folder)));
        }
        commands.push(format!("touch {}", text::shell_word(&file)));
    }
    let files = d.missing_files.join(", ");
    let comment = format!("setup.py reads {files}, which the sdist lacks");
    (vec![comment], commands)
}

/// Comments and commands that relax build requirements, and the user's own.
pub(super) fn post_patch(d: &Derivation) -> (Vec<String>, Vec<String>) {
    let mut command = Vec::new();
    let mut comments = Vec::new();
    let mut file = "";
    for relaxed in &d.relaxed_builds {
        comments.push(relaxed.because.clone());
        if relaxed.file != file {
            file = &relaxed.file;
            command.push(format!("substituteInPlace {file}"));
        }
        if let Some(last) = command.last_mut() {
            last.push_str(" \\");
        }
        command.push(format!(
            "  --replace-fail {} {}",
            text::shell_word(&relaxed.text),
            text::shell_word(&relaxed.replacement)
        ));
    }
    command.extend(d.post_patch.iter().cloned());
    (comments, command)
}

/// Our own commands, for a package that has no others.
pub(super) fn own_commands(
    name: &'static str,
    (comments, commands): (Vec<String>, Vec<String>),
) -> Vec<Item> {
    if commands.is_empty() {
        return Vec::new();
    }
    let comments = comments.into_iter().map(Item::Comment);
    comments
        .chain([Item::bind(name, commands_of(commands))])
        .collect()
}

fn commands_of(commands: Vec<String>) -> Expr {
    match commands.as_slice() {
        [one] if !one.contains(['"', '\\']) => Expr::str(one.as_str()),
        _ => Expr::Lines(commands),
    }
}

/// The crates, from the lock beside this file: nothing has to be fetched to learn their digests.
fn rust(d: &Derivation, overrides: bool, uses: &mut Uses) -> Vec<Item> {
    let Some(rust) = &d.rust else {
        return Vec::new();
    };
    uses.rust = true;
    let mut items = Vec::new();
    if !rust.root.is_empty() {
        items.push(Item::bind("cargoRoot", Expr::str(rust.root.as_str())));
    } else if overrides {
        items.push(Item::bind("cargoRoot", Expr::Name("null")));
    }
    if overrides && d.recipe.build_folder {
        // An sdist is built from its root, whatever folder of the repository the recipe builds.
        items.push(Item::bind("buildAndTestSubdir", Expr::Name("null")));
    }
    let mut arguments = vec![Item::bind("lockFile", Expr::File(rust.file.clone()))];
    if !rust.git.is_empty() {
        let mut hashes = Vec::new();
        for (name, sha256) in &rust.git {
            let hash = match sha256 {
                Some(sha256) => Item::bind(name.as_str(), Expr::str(sha256.sri())),
                None => {
                    uses.lib = true;
                    let why = "not known: the build fails and tells it".to_owned();
                    hashes.push(Item::Comment(why));
                    Item::bind(name.as_str(), Expr::Name("lib").select("fakeHash"))
                }
            };
            hashes.push(hash);
        }
        let hashes = Expr::Set(hashes);
        arguments.push(Item::bind("outputHashes", hashes));
    }
    let import = Expr::Name("rustPlatform").select("importCargoLock");
    items.push(Item::bind("cargoDeps", import.apply(Expr::Set(arguments))));
    items
}

/// Variables of the build. A recipe may tell the old version to the build system: such ones are taken
/// back.
fn variables(d: &Derivation, overrides: bool, out: &mut Groups) {
    // A variable cannot be a member of `env` and an attribute of its own as well.
    let alone = |name: &str| {
        let mut all = d.recipe.versions.iter();
        overrides && all.any(|v| v.of_its_own && v.name == name)
    };
    let bind = |(name, variable): (&&'static str, &Variable)| {
        Item::bind(*name, Expr::str(variable.value.as_str()))
    };
    let in_env = d.env.iter().filter(|(name, _)| !alone(name));
    let ours: Vec<Item> = in_env.map(bind).collect();
    let mut said = BTreeSet::new();
    let reasons = d.env.values().map(|variable| variable.because.clone());
    let mut comments: Vec<Item> = reasons
        .filter(|because| said.insert(because.clone()))
        .map(Item::Comment)
        .collect();
    let of = |wanted: fn(&VersionVariable) -> bool| {
        let names = d
            .recipe
            .versions
            .iter()
            .filter(move |v| overrides && wanted(v));
        names.map(|v| v.name)
    };
    let in_env: Vec<Expr> = of(|v| v.in_env).map(Expr::str).collect();
    let nothing = |name: &&'static str| !d.env.contains_key(name);
    let mut items: Vec<Item> = of(|v| v.of_its_own)
        .filter(nothing)
        .map(|name| Item::bind(name, Expr::Name("null")))
        .collect();
    let own = d.env.iter().filter(|(name, _)| alone(name));
    items.extend(own.map(bind));
    if !in_env.is_empty() || !items.is_empty() {
        comments.push(Item::Comment(
            "the recipe's may be its own version".to_owned(),
        ));
    }
    let old = Expr::Name("old").select_or("env", Expr::empty_set());
    let mut parts = Vec::new();
    if !in_env.is_empty() {
        let names = Expr::List(in_env);
        parts.push(Expr::Name("removeAttrs").apply(old).apply(names));
    } else if overrides && !ours.is_empty() {
        parts.push(old);
    }
    if !ours.is_empty() {
        parts.push(Expr::Set(ours));
    }
    match parts.len() {
        0 => {}
        1 => items.extend(parts.pop().map(|env| Item::bind("env", env))),
        _ => items.push(Item::bind("env", Expr::Binary(Operator::Update, parts))),
    }
    if !items.is_empty() {
        comments.extend(items);
        out.add(comments);
    }
}

pub(super) fn relaxed(d: &Derivation, overrides: bool, out: &mut Groups) {
    for (attribute, remove) in [("pythonRelaxDeps", false), ("pythonRemoveDeps", true)] {
        let these: Vec<_> = d.relaxed.iter().filter(|r| r.remove == remove).collect();
        if these.is_empty() {
            continue;
        }
        let mut said = BTreeSet::new();
        let mut items: Vec<Item> = these
            .iter()
            .filter(|r| said.insert(&r.because))
            .map(|r| Item::Comment(r.because.clone()))
            .collect();
        let names: Vec<String> = these.iter().map(|r| r.name.clone()).collect();
        let before = match (overrides, remove) {
            (false, _) => OldNames::None,
            (true, false) => d.recipe.relax,
            (true, true) => d.recipe.remove,
        };
        if let Some(names) = added(attribute, before, strings(&names)) {
            items.push(Item::bind(attribute, names));
            out.add(items);
        }
    }
}

/// Names added to a recipe's own, which may be `true`: all of them. None where they are among them.
fn added(attribute: &'static str, before: OldNames, names: Expr) -> Option<Expr> {
    let old = || Expr::Name("old").select_or(attribute, Expr::List(Vec::new()));
    let both = |names| Expr::Binary(Operator::Concat, vec![old(), names]);
    match before {
        OldNames::All => None,
        OldNames::None => Some(names),
        OldNames::List => Some(both(names)),
        OldNames::Unknown => Some(Expr::If(
            Box::new(Expr::Name("builtins").select("isList").apply(old())),
            Box::new(both(names)),
            Box::new(Expr::Name("true")),
        )),
    }
}

fn optional(d: &Derivation, uses: &mut Uses) -> Expr {
    let extras = d.optional.iter();
    Expr::Set(
        extras
            .map(|(extra, needed)| Item::bind(extra.as_str(), needed_list("final", needed, uses)))
            .collect(),
    )
}

pub(super) fn files(paths: &[String]) -> Expr {
    Expr::List(paths.iter().map(|p| Expr::File(p.clone())).collect())
}

fn truth(value: bool) -> Expr {
    Expr::Name(if value { "true" } else { "false" })
}

pub(super) fn strings(texts: &[String]) -> Expr {
    Expr::List(texts.iter().map(|t| Expr::str(t.as_str())).collect())
}

/// What a reader wants to know, as a set.
pub(super) fn meta(meta: &Meta, uses: &mut Uses) -> Expr {
    let mut items = Vec::new();
    let texts = [
        ("description", &meta.description),
        ("homepage", &meta.homepage),
        ("changelog", &meta.changelog),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            items.push(Item::bind(name, Expr::str(value.as_str())));
        }
    }
    let mut licence = |attr: &String| {
        uses.lib = true;
        Expr::Name("lib").select("licenses").select(attr.as_str())
    };
    match &meta.license {
        Some(License::One(attr)) => items.push(Item::bind("license", licence(attr))),
        Some(License::Several(attrs)) => {
            let all = attrs.iter().map(&mut licence).collect();
            items.push(Item::bind("license", Expr::List(all)));
        }
        None => {}
    }
    if meta.binary {
        uses.lib = true;
        let native = Expr::Name("lib")
            .select("sourceTypes")
            .select("binaryNativeCode");
        items.push(Item::bind("sourceProvenance", Expr::List(vec![native])));
    }
    if !meta.platforms.is_empty() {
        let systems: Vec<String> = meta.platforms.iter().map(ToString::to_string).collect();
        items.push(Item::bind("platforms", strings(&systems)));
    }
    Expr::Set(items)
}
