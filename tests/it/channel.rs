//! Locks against the published list of a channel.

use std::process::Output;

use crate::support::index::Trouble;
use crate::support::project::Release;
use crate::support::workshop::{Workshop, stderr};

const LIST: &[u8] = include_bytes!("../../testdata/channel/packages.json.br");
const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";
const RELEASE: &str = "/releases/nixos-26.05.1";

/// An index with what the channel has and something newer; beside it the channel, whose address leads
/// to that of a release.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    for version in ["5.2.12", "5.2.13", "6.0.3"] {
        let release = Release::new("django", version);
        workshop.index.publish(release.flit("\"\"\"Web\"\"\""));
    }
    let index = &workshop.index;
    let modified = "Last-Modified: Fri, 01 May 2026 10:11:12 GMT";
    index.put(
        &format!("{RELEASE}/packages.json.br"),
        LIST,
        &["Content-Encoding: br", modified],
    );
    index.put(&format!("{RELEASE}/git-revision"), REVISION.as_bytes(), &[]);
    let to = format!("{}{RELEASE}/packages.json.br", index.root());
    index.trouble("/nixos-26.05/packages.json.br", Trouble::Redirect(to), 100);
    workshop.write("requirements.txt", "django>=5\n");
    workshop
}

fn lock(workshop: &Workshop, arguments: &[&str]) -> Output {
    let base = workshop.index.root();
    let usual = ["requirements.txt", "--channel-url", &base];
    let chosen = ["--nixpkgs", "channel:nixos-26.05"];
    workshop.lock(&[&usual[..], &chosen[..], arguments].concat())
}

fn asked_of_channel(workshop: &Workshop) -> Vec<String> {
    let paths = workshop.index.paths().into_iter();
    paths
        .filter(|path| !path.starts_with("/simple/") && !path.starts_with("/files/"))
        .collect()
}

#[test]
fn the_list_of_a_channel_says_what_is_reused() {
    let workshop = workshop();
    let output = lock(&workshop, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("1 from nixpkgs\n  nixpkgs: nixos-26.05 0123456789ab of 2026-05-01, "),
        "{said}"
    );
    let text = workshop.read("pylock.toml");
    let recorded = format!(
        "nixpkgs = {{ channel = \"nixos-26.05\", date = \"2026-05-01\", revision = \"{REVISION}\" }}"
    );
    assert!(text.contains(&recorded), "{text}");
    assert_eq!(
        asked_of_channel(&workshop),
        [
            "/nixos-26.05/packages.json.br".to_owned(),
            format!("{RELEASE}/packages.json.br"),
            format!("{RELEASE}/git-revision"),
        ]
    );
}

#[test]
fn the_list_is_asked_for_again_only_where_it_may_have_changed() {
    let workshop = workshop();
    assert_eq!(lock(&workshop, &[]).status.code(), Some(0));
    let first = workshop.read("pylock.toml");
    workshop.index.paths();
    assert_eq!(lock(&workshop, &["--upgrade"]).status.code(), Some(0));
    assert_eq!(asked_of_channel(&workshop), [""; 0]);
    assert_eq!(
        lock(&workshop, &["--upgrade", "--refresh"]).status.code(),
        Some(0)
    );
    // Answered with 304: the revision is known.
    assert_eq!(asked_of_channel(&workshop).len(), 2);
    assert_eq!(workshop.read("pylock.toml"), first);
    // Without the network it still is.
    workshop.index.trouble("/", Trouble::Hangup, 100);
    let output = lock(&workshop, &["--upgrade", "--offline"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(workshop.read("pylock.toml"), first);
}

#[test]
fn what_is_wrong_with_a_list_is_told() {
    let workshop = workshop();
    let output = lock(&workshop, &["--offline"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("the list of packages of the channel nixos-26.05 is not in the cache"),
        "{said}"
    );
    workshop.index.put(
        &format!("{RELEASE}/packages.json.br"),
        b"{\"packages\": {}}",
        &[],
    );
    let output = lock(&workshop, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("Brotli"), "{said}");
    let base = workshop.index.root();
    let base = base.as_str();
    let output = workshop.lock(&[
        "requirements.txt",
        "--channel-url",
        base,
        "--nixpkgs",
        "channel:none-such",
    ]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("nothing at that address") && said.contains("nixos-unstable"),
        "{said}"
    );
    let output = workshop.lock(&["requirements.txt", "--nixpkgs", "channel:../x"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(!workshop.path("pylock.toml").exists());
}

/// `channel-url` in the settings counts for `lock` and `why`; the variable counts before it.
#[test]
fn the_place_of_channels_can_be_set() {
    let workshop = workshop();
    let base = workshop.index.root();
    workshop.write(
        "pyresolve.toml",
        &format!("nixpkgs = \"channel:nixos-26.05\"\nchannel-url = \"{base}\"\n"),
    );
    workshop.locked(&["requirements.txt", "--prefer", "latest"]);
    let why = |variable: Option<&str>| {
        let mut command = workshop.command(&["why", "django"]);
        command.envs(variable.map(|url| ("PYRESOLVE_CHANNEL_URL", url)));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let told = why(None);
    assert!(told.contains("what could be done"), "{told}");
    assert!(!told.contains("is not known"), "{told}");
    let elsewhere = why(Some("http://127.0.0.1:9/"));
    assert!(
        elsewhere.contains("what could be done is not known"),
        "{elsewhere}"
    );
    workshop.write("pyresolve.toml", "nixpkgs = \"channel:nixos-26.05\"\n");
    let told = why(Some(&base));
    assert!(told.contains("what could be done"), "{told}");
    assert!(!told.contains("is not known"), "{told}");
}
