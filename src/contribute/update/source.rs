//! The source of another version: its digest, by the fetcher that the module uses.

use super::{ContributeError, Work, no_place};
use crate::contribute::edit::Editor;
use crate::contribute::forge;
use crate::index::Catalog as _;
use crate::nixpkgs::facts::Source;
use crate::python::Filename;

impl Work<'_> {
    /// The new source: its digest, and what its address is made from.
    pub(super) fn source(&mut self, text: &str) -> Result<String, ContributeError> {
        let place = |why: String| no_place(&self.facts.file, why);
        let mut editor = Editor::new(text).map_err(place)?;
        if let Some(hash) = self.asked.hash {
            editor.hash(hash).map_err(place)?;
            return editor.finish().map_err(place);
        }
        let source = self.read(text)?.source;
        let source = source.ok_or_else(|| place("its source cannot be read".to_owned()))?;
        match source.fetcher.rsplit('.').next().unwrap_or_default() {
            "fetchPypi" => self.pypi(&mut editor, &source)?,
            "fetchFromGitHub" => return self.github(text, &source),
            "fetchurl" => self.url(&mut editor, &source)?,
            other => {
                return Err(place(format!(
                    "the digest of what `{other}` fetches cannot be made here: tell it with `--hash`"
                )));
            }
        }
        editor.finish().map_err(place)
    }

    fn pypi(&self, editor: &mut Editor, source: &Source) -> Result<(), ContributeError> {
        let place = |why: String| no_place(&self.facts.file, why);
        let argument = |name: &str| source.arguments.get(name).map(String::as_str);
        let new = &self.releases.new;
        let file = if argument("format") == Some("wheel") {
            let tag = |name, default| argument(name).unwrap_or(default).to_owned();
            let wanted = (
                tag("python", "py2.py3"),
                tag("abi", "none"),
                tag("platform", "any"),
            );
            new.wheels.iter().find(|wheel| match &wheel.filename {
                Filename::Wheel(name) => {
                    (name.python.clone(), name.abi.clone(), name.platform.clone()) == wanted
                }
                Filename::Sdist(_) => false,
            })
        } else {
            new.sdist.as_ref()
        };
        let file = file.ok_or_else(|| {
            place(format!(
                "{} has no such file as the module fetches",
                new.version
            ))
        })?;
        let (name, version, extension) = match &file.filename {
            Filename::Sdist(sdist) => (&sdist.name, &sdist.version, sdist.extension.as_str()),
            Filename::Wheel(wheel) => (&wheel.name, &wheel.version, "whl"),
        };
        let written = argument("extension").unwrap_or("tar.gz");
        if extension != "whl" && extension != written {
            return Err(place(format!(
                "its source is a .{written}, and {} is published as .{extension}: say so with `extension`",
                new.version
            )));
        }
        if argument("pname").is_some_and(|pname| pname != name) {
            editor.argument("pname", name).map_err(place)?;
        }
        if argument("version").is_some_and(|own| own != version) {
            editor.argument("version", version).map_err(place)?;
        }
        let sha256 = self.asked.catalog.sha256(&self.attribute.project, file)?;
        editor.hash(&sha256.sri()).map_err(place)
    }

    fn url(&self, editor: &mut Editor, source: &Source) -> Result<(), ContributeError> {
        let place = |why: String| no_place(&self.facts.file, why);
        let url = source
            .arguments
            .get("url")
            .map(String::as_str)
            .unwrap_or_default();
        let last = url.rsplit('/').next().unwrap_or_default();
        let mut files = self.releases.new.files();
        let file = files
            .find(|file| !last.is_empty() && file.file == last)
            .ok_or_else(|| {
                place(format!(
                    "the index has no file `{last}` of {}: tell the digest with `--hash`",
                    self.releases.new.version
                ))
            })?;
        let sha256 = self.asked.catalog.sha256(&self.attribute.project, file)?;
        editor.hash(&sha256.sri()).map_err(place)
    }

    fn github(&mut self, text: &str, source: &Source) -> Result<String, ContributeError> {
        let file = self.facts.file.clone();
        let place = |why: String| no_place(&file, why);
        let mut text = text.to_owned();
        let mut source = source.clone();
        let old = self.facts.source.clone().unwrap_or_default();
        let (name, mut tag) =
            tag(&source).ok_or_else(|| place("its tag cannot be read".to_owned()))?;
        if Some(&tag) == old.arguments.get(name) {
            let mut editor = Editor::new(&text).map_err(place)?;
            let (from, to) = (&self.facts.version, self.releases.new.version.to_string());
            if !editor.reversioned(name, from, &to) {
                return Err(place(format!(
                    "its source is `{name} = {tag}`, which does not follow the version: change it by hand, \
                     and tell the digest with `--hash`"
                )));
            }
            text = editor.finish().map_err(place)?;
            source = self.read(&text)?.source.unwrap_or_default();
            tag = self::tag(&source).map(|(_, tag)| tag).unwrap_or_default();
        }
        let mut editor = Editor::new(&text).map_err(place)?;
        let known = ["owner", "repo", "rev", "tag", "hash", "sha256", "name"];
        let extra = editor.fetcher_arguments().into_iter();
        let extra: Vec<String> = extra.filter(|n| !known.contains(&n.as_str())).collect();
        if !extra.is_empty() {
            return Err(place(format!(
                "the digest of a source with `{}` cannot be made here: tell it with `--hash`",
                extra.join("`, `")
            )));
        }
        let argument = |name: &str| source.arguments.get(name).cloned().unwrap_or_default();
        let (owner, repo) = (argument("owner"), argument("repo"));
        let project = &self.attribute.project;
        let fetched = forge::fetch(self.asked.catalog, project, &owner, &repo, &tag);
        let (commit, facts) = fetched.map_err(|why| {
            place(format!(
                "`{tag}` of {owner}/{repo}: {why}; `--hash` tells the digest of its tree"
            ))
        })?;
        self.releases.facts = Some(facts);
        editor.hash(&commit.sha256.sri()).map_err(place)?;
        editor.finish().map_err(place)
    }
}

/// Which argument of a forge's fetcher names the revision, and what it is.
fn tag(source: &Source) -> Option<(&'static str, String)> {
    ["tag", "rev"].into_iter().find_map(|name| {
        let value = source.arguments.get(name)?;
        let value = value.strip_prefix("refs/tags/").unwrap_or(value);
        Some((name, value.to_owned()))
    })
}
