//! The index client against an index on loopback.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pyresolve::index::{Catalog, IndexError, Options, Page, RemoteCatalog};
use pyresolve::python::{Metadata, PackageName, Version};
use tempfile::TempDir;

use crate::support::index::{Index, Manner, Trouble};
use crate::support::project::Release;

const NOW: Duration = Duration::from_secs(1_750_000_000);

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

fn options(index: &Index) -> Options {
    let mut options = Options::new(SystemTime::UNIX_EPOCH + NOW);
    options.add_indexes(&[], Some(&index.url()), &[]).unwrap();
    options
}

fn catalog(index: &Index) -> RemoteCatalog {
    RemoteCatalog::new(options(index))
}

/// A catalog with a cache, so many seconds after the start.
fn cached(index: &Index, folder: &TempDir, later: u64) -> RemoteCatalog {
    let mut options = options(index);
    options.cache = Some(folder.path().join("cache"));
    options.now += Duration::from_secs(later);
    RemoteCatalog::new(options)
}

fn metadata(
    catalog: &dyn Catalog,
    project: &str,
    version: &str,
) -> Result<Arc<Metadata>, IndexError> {
    let page = catalog.page(&name(project))?;
    let release = page.release(&Version::from_str(version).unwrap()).unwrap();
    catalog.metadata(&page, &release)
}

fn requirements(metadata: &Metadata) -> Vec<String> {
    metadata
        .requires_dist
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn versions(page: &Page) -> Vec<String> {
    page.versions().map(ToString::to_string).collect()
}

fn demo() -> Vec<Release> {
    vec![
        Release::new("demo", "1.0").needs("dep>=1").yanked("broken"),
        Release::new("demo", "2.0")
            .needs("dep>=2")
            .needs("more; extra == 'x'")
            .python(">=3.8")
            .wheels(&[
                "cp313-cp313-manylinux_2_17_x86_64",
                "cp313-cp313-macosx_11_0_arm64",
            ])
            .description(20_000),
    ]
}

#[test]
fn every_form_of_page_gives_the_same_releases() {
    let mut found = Vec::new();
    for (json, relative, gzip) in [
        (true, false, true),
        (true, true, false),
        (false, false, true),
        (false, true, false),
    ] {
        let index = Index::with(
            Manner {
                json,
                relative,
                gzip,
                ..Manner::default()
            },
            demo(),
        );
        let catalog = catalog(&index);
        let page = catalog.page(&name("demo")).unwrap();
        assert_eq!(versions(&page), ["1.0", "2.0"]);
        let files: Vec<_> = page
            .versions()
            .flat_map(|version| {
                page.release(version)
                    .unwrap()
                    .files()
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .map(|file| {
                let url = file.url.as_str().replace(&index.root(), "");
                (
                    file.file,
                    url,
                    file.sha256,
                    file.yanked,
                    file.requires_python,
                    file.has_metadata,
                )
            })
            .collect();
        assert_eq!(files.len(), 5);
        found.push(files);
    }
    for other in &found[1..] {
        assert_eq!(*other, found[0]);
    }
}

#[test]
fn announced_metadata_takes_two_requests() {
    let index = Index::start(demo());
    let metadata = metadata(&catalog(&index), "demo", "2.0").unwrap();
    assert_eq!(requirements(&metadata), ["dep>=2", "more; extra == 'x'"]);
    let expected = "/files/demo-2.0-cp313-cp313-manylinux_2_17_x86_64.whl.metadata";
    assert_eq!(index.paths(), ["/simple/demo/", expected]);
}
