//! Rules for `meta`.

use std::ops::Range;

use rnix::ast;
use rowan::ast::AstNode as _;

use super::module::{Module, binding, lists, literal, range};
use super::{Context, Out, rule};

/// Licences whose names do not say whether later versions are meant.
const UNCLEAR: [&str; 7] = ["agpl3", "gpl1", "gpl2", "gpl3", "lgpl2", "lgpl21", "lgpl3"];

/// The attributes of `meta`, in one set or by paths.
struct Meta<'m> {
    module: &'m Module<'m>,
    set: Option<ast::AttrSet>,
    span: Range<usize>,
}

pub(super) fn rules(module: &Module<'_>, context: &Context, out: &mut Out) {
    let Some(meta) = meta(module, out) else {
        let at = module.call.start;
        for rule in [
            &rule::META_DESCRIPTION,
            &rule::META_LICENSE,
            &rule::META_MAINTAINERS,
        ] {
            out.say(
                rule,
                at..at,
                "there is no `meta`",
                "add it: description, homepage, license, maintainers",
            );
        }
        return;
    };
    description(&meta, out);
    homepage(&meta, out);
    changelog(&meta, out);
    license(&meta, out);
    maintainers(&meta, context, out);
    if let Some(value) = meta.value("mainProgram")
        && !matches!(&value, ast::Expr::Str(_) if literal(&value).is_some())
    {
        out.say(
            &rule::MAIN_PROGRAM,
            range(value.syntax()),
            "`mainProgram` is computed",
            "write the program's name",
        );
    }
}

fn meta<'m>(module: &'m Module<'m>, out: &mut Out) -> Option<Meta<'m>> {
    if let Some((value, span)) = module.value("meta") {
        let set = match value {
            ast::Expr::AttrSet(set) => Some(set),
            ast::Expr::With(with) => {
                out.say(
                    &rule::META_WITH_LIB,
                    span.clone(),
                    "`with` around `meta`",
                    "write `lib.licenses.…` in full",
                );
                match with.body() {
                    Some(ast::Expr::AttrSet(set)) => Some(set),
                    _ => None,
                }
            }
            _ => None,
        };
        // One that is put together says what it says elsewhere.
        set.as_ref()?;
        return Some(Meta { module, set, span });
    }
    let by_path = module
        .attributes()
        .into_iter()
        .find(|(name, _)| name == "meta");
    by_path.map(|(_, span)| Meta {
        module,
        set: None,
        span,
    })
}

impl Meta<'_> {
    fn value(&self, name: &str) -> Option<ast::Expr> {
        if let Some(set) = &self.set {
            return binding(set, name)?.value();
        }
        use rnix::ast::HasEntry as _;
        let mut bindings = self.module.set.attrpath_values();
        let path = format!("meta.{name}");
        let found = bindings.find(|b| {
            b.attrpath()
                .is_some_and(|p| p.syntax().text() == path.as_str())
        });
        found?.value()
    }

    fn at(&self) -> Range<usize> {
        self.span.start..self.span.start + 4
    }
}

fn description(meta: &Meta<'_>, out: &mut Out) {
    let Some(value) = meta.value("description") else {
        out.say(
            &rule::META_DESCRIPTION,
            meta.at(),
            "`meta.description` is missing",
            "say in one sentence what it is",
        );
        return;
    };
    let (Some(text), span) = (literal(&value), range(value.syntax())) else {
        return;
    };
    let mut say =
        |what: &str, help: &str| out.say(&rule::META_DESCRIPTION, span.clone(), what, help);
    let first = text.split(' ').next().unwrap_or_default().to_lowercase();
    if matches!(first.as_str(), "a" | "an" | "the") {
        say("the description begins with an article", "leave it out");
    }
    let pname = meta
        .module
        .literal("pname")
        .map(|(name, _)| name.to_lowercase())
        .unwrap_or_default();
    if !pname.is_empty() && first.trim_end_matches(':').replace('_', "-") == pname {
        say(
            "the description begins with the package's name",
            "say what it is",
        );
    }
    if text.ends_with(['.', '!', '?', ',', ';', ':']) {
        say("the description ends with punctuation", "leave it out");
    }
    // A word that is spelt small, such as iPhone or dbt-core, is a name.
    let word = text.split(' ').next().unwrap_or_default();
    if word.chars().next().is_some_and(char::is_lowercase) && word.chars().all(|c| c.is_lowercase())
    {
        say("the description begins in lower case", "capitalise it");
    }
    let inner = text.match_indices(". ").any(|(at, _)| {
        let after = text.get(at + 2..).and_then(|rest| rest.chars().next());
        let abbreviated = text
            .get(..at)
            .is_some_and(|t| t.ends_with("e.g") || t.ends_with("i.e") || t.ends_with("vs"));
        after.is_some_and(char::is_uppercase) && !abbreviated
    });
    if inner {
        say("the description has more than one sentence", "keep one");
    }
    if text.trim() != text || text.contains('\n') {
        say(
            "the description has white space at its ends, or lines",
            "make it one line",
        );
    }
}

fn homepage(meta: &Meta<'_>, out: &mut Out) {
    let Some(value) = meta.value("homepage") else {
        out.say(
            &rule::META_HOMEPAGE,
            meta.at(),
            "`meta.homepage` is missing",
            "name the project's page",
        );
        return;
    };
    let span = range(value.syntax());
    let Some(text) = literal(&value) else { return };
    let pypi = ["pypi", "org"].join(".");
    if text.contains(&pypi) {
        out.say(
            &rule::META_HOMEPAGE,
            span,
            "the homepage is the page on PyPI",
            "name the project's own",
        );
    } else if !text.starts_with("https://") && !text.starts_with("http://") {
        out.say(
            &rule::META_HOMEPAGE,
            span,
            "the homepage is no web address",
            "begin with https://",
        );
    }
}

fn changelog(meta: &Meta<'_>, out: &mut Out) {
    let Some(value) = meta.value("changelog") else {
        return;
    };
    let Some(text) = literal(&value) else { return };
    let version = meta
        .module
        .literal("version")
        .map(|(v, _)| v)
        .unwrap_or_default();
    let numbered = text.contains("/releases/tag/") || text.contains("/blob/v");
    if numbered && (version.is_empty() || !text.contains(&version)) {
        out.say(
            &rule::META_CHANGELOG,
            range(value.syntax()),
            "the changelog is that of one version",
            "write `${finalAttrs.src.tag}` or `${finalAttrs.version}`",
        );
    }
}

fn license(meta: &Meta<'_>, out: &mut Out) {
    let Some(value) = meta.value("license") else {
        out.say(
            &rule::META_LICENSE,
            meta.at(),
            "`meta.license` is missing",
            "name it: `lib.licenses.…`",
        );
        return;
    };
    if matches!(value, ast::Expr::Str(_)) {
        out.say(
            &rule::META_LICENSE,
            range(value.syntax()),
            "the licence is a text",
            "write `lib.licenses.…`",
        );
    }
    let selected = value.syntax().descendants().filter_map(ast::Select::cast);
    let bare = value.syntax().descendants().filter_map(ast::Ident::cast);
    let names = selected.map(|s| (s.syntax().text().to_string(), range(s.syntax())));
    let names = names.chain(bare.map(|i| (i.syntax().text().to_string(), range(i.syntax()))));
    for (written, span) in names {
        let last = written.rsplit('.').next().unwrap_or_default();
        let in_path = written.contains('.') || matches!(value, ast::Expr::With(_));
        if in_path && UNCLEAR.contains(&last) {
            out.say(
                &rule::META_LICENSE,
                span,
                format!("`{last}` does not say whether later versions are meant"),
                format!("write `{last}Only` or `{last}Plus`"),
            );
        }
    }
}

fn maintainers(meta: &Meta<'_>, context: &Context, out: &mut Out) {
    let teams = meta.value("teams").is_some();
    let Some(value) = meta.value("maintainers") else {
        if !teams {
            out.say(
                &rule::META_MAINTAINERS,
                meta.at(),
                "`meta.maintainers` is missing",
                "name yourself: `with lib.maintainers; [ handle ]`",
            );
        }
        return;
    };
    let handles: Vec<(String, Range<usize>)> = lists(&value)
        .iter()
        .flat_map(|list| list.items().collect::<Vec<_>>())
        .map(|item| (item.syntax().text().to_string(), range(item.syntax())))
        .collect();
    if handles.is_empty() && matches!(value, ast::Expr::List(_)) && !teams {
        out.say(
            &rule::META_MAINTAINERS,
            range(value.syntax()),
            "nobody looks after it",
            "name yourself: `with lib.maintainers; [ handle ]`",
        );
    }
    let Some(known) = &context.maintainers else {
        return;
    };
    for (handle, span) in handles {
        let name = handle.rsplit('.').next().unwrap_or_default();
        if !known.contains(name) {
            out.say(
                &rule::META_MAINTAINERS,
                span,
                format!("maintainer-list.nix has no `{name}`"),
                "add it there, in a commit of its own",
            );
        }
    }
}
