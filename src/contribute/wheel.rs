//! What a release's wheel proves of a module: which modules it installs, and which commands.

use std::collections::BTreeSet;

use super::ContributeError;
use super::init::Prepared;
use crate::index::{Distribution, RemoteCatalog};
use crate::project::{Archive, Files as _, SourceFacts};
use crate::python::Filename;
use crate::resolve::Pin;

/// The largest wheel that is fetched for its list of files.
const MAX_WHEEL: u64 = 64 << 20;

/// Compares a module's imports with the list of files in the release's wheel, and takes from it what
/// is missing.
///
/// # Errors
/// When the wheel cannot be fetched, or is not what the index says.
pub(super) fn verify(
    catalog: &RemoteCatalog,
    pin: &Pin,
    facts: Option<&SourceFacts>,
    module: &mut Prepared,
) -> Result<(), ContributeError> {
    let mut scripts = facts.map(|f| f.scripts.clone()).unwrap_or_default();
    let Some(wheel) = smallest(pin) else {
        if module.derivation.imports.is_empty() {
            module
                .notes
                .push("which modules it installs is not known".to_owned());
        }
        module.main_program = main(&scripts, pin.name.as_ref());
        return Ok(());
    };
    let archive = catalog.archive(wheel)?;
    let record = record(&archive);
    let imports = &mut module.derivation.imports;
    imports.retain(|name| installs(&record, name));
    if imports.is_empty() {
        *imports = top_level(&record);
    }
    if imports.is_empty() {
        module
            .notes
            .push("its wheel installs no modules that can be imported".to_owned());
    }
    if let Some(own) = commands(&archive) {
        scripts = own;
    }
    module.main_program = main(&scripts, pin.name.as_ref());
    Ok(())
}

/// The wheel that is fetched fastest; a release's wheels install the same modules.
fn smallest(pin: &Pin) -> Option<&Distribution> {
    let size = |wheel: &&Distribution| {
        let pure = matches!(&wheel.filename, Filename::Wheel(name) if name.platform == "any");
        (!pure, wheel.size.unwrap_or(u64::MAX), wheel.file.clone())
    };
    let wheel = pin.release.wheels.iter().min_by_key(size)?;
    (wheel.size.unwrap_or(0) <= MAX_WHEEL).then_some(wheel)
}

/// The paths that a wheel's RECORD lists: what is installed.
fn record(archive: &Archive) -> BTreeSet<String> {
    let info = info(archive);
    let read = info.and_then(|info| archive.read(&format!("{info}/RECORD")).ok());
    let text = String::from_utf8_lossy(&read.unwrap_or_default()).into_owned();
    let paths = text.lines().filter_map(|line| {
        let line = line
            .strip_prefix('"')
            .map_or_else(|| line.split(',').next(), |quoted| quoted.split('"').next())?;
        // What is installed for pure and for other platforms lies beside the modules.
        let path = match line.split_once(".data/") {
            Some((_, rest)) => rest
                .strip_prefix("purelib/")
                .or_else(|| rest.strip_prefix("platlib/"))?,
            None => line,
        };
        Some(path.to_owned())
    });
    paths.collect()
}

fn info(archive: &Archive) -> Option<String> {
    archive
        .list("")
        .into_iter()
        .find(|name| name.ends_with(".dist-info"))
}

/// Whether a module is among the files: a package, a file, or an extension module.
fn installs(record: &BTreeSet<String>, module: &str) -> bool {
    let path = module.replace('.', "/");
    let under = format!("{path}/");
    let below = record.range(under.clone()..).next();
    if below.is_some_and(|file| file.starts_with(&under)) {
        return true;
    }
    record.contains(&format!("{path}.py")) || {
        let extension = format!("{path}.");
        let mut files = record.range(extension.clone()..);
        let first = files.next().filter(|file| file.starts_with(&extension));
        first.is_some_and(|file| file.ends_with(".so") || file.ends_with(".pyd"))
    }
}

/// The modules at the top, those for tests and private ones left out.
fn top_level(record: &BTreeSet<String>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for path in record {
        let name = match path.split_once('/') {
            Some((first, rest)) if rest.ends_with(".py") || rest.ends_with(".so") => first,
            Some(_) => continue,
            None => match path.split_once('.') {
                Some((stem, "py" | "pyd")) => stem,
                Some((stem, rest)) if rest.ends_with(".so") => stem,
                _ => continue,
            },
        };
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let own = !name.starts_with(['_', '.'])
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && !matches!(name, "test" | "tests" | "docs" | "examples");
        if plain && own && !name.is_empty() {
            found.insert(name.to_owned());
        }
    }
    found.into_iter().collect()
}

/// The commands that its entry points name; none where it has no file of them.
fn commands(archive: &Archive) -> Option<Vec<String>> {
    let bytes = archive
        .read(&format!("{}/entry_points.txt", info(archive)?))
        .ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut inside = false;
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[console_scripts]";
        } else if inside && let Some((name, _)) = line.split_once('=') {
            names.push(name.trim().to_owned());
        }
    }
    Some(names)
}

/// The one command, or the one that is called like the project.
fn main(scripts: &[String], project: &str) -> Option<String> {
    let plain = |name: &&String| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
    };
    match scripts {
        [one] => Some(one).filter(plain).cloned(),
        several => {
            let same = |name: &&String| name.replace(['_', '.'], "-").eq_ignore_ascii_case(project);
            several.iter().find(same).filter(plain).cloned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record_of(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn modules_are_what_the_record_lists() {
        let record = record_of(&[
            "zope/interface/__init__.py",
            "one.py",
            "_private.so",
            "native.cpython-313-x86_64-linux-gnu.so",
            "tests/__init__.py",
            "pkg/__init__.py",
            "pkg-1.0.dist-info/METADATA",
        ]);
        for there in ["zope.interface", "one", "native", "pkg"] {
            assert!(installs(&record, there), "{there}");
        }
        for absent in ["zope.other", "on", "pk", "two"] {
            assert!(!installs(&record, absent), "{absent}");
        }
        assert_eq!(top_level(&record), ["native", "one", "pkg", "zope"]);
    }

    #[test]
    fn a_main_program_is_the_only_one_or_the_projects_own() {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(main(&names(&["x"]), "demo").as_deref(), Some("x"));
        assert_eq!(
            main(&names(&["x", "my_demo"]), "my-demo").as_deref(),
            Some("my_demo")
        );
        assert_eq!(main(&names(&["x", "y"]), "demo"), None);
        assert_eq!(main(&names(&["$(x)"]), "demo"), None);
    }
}
