//! What was read compared with what Nix says, on the tree of the tests. Skipped, and said so, where
//! there is no Nix.

use super::*;
use crate::nixpkgs::checkout::Checkout;

fn evaluator() -> Option<Evaluator> {
    let path = std::env::var_os("PATH")?;
    let program = std::env::split_paths(&path)
        .map(|folder| folder.join("nix-instantiate"))
        .find(|program| program.is_file());
    if program.is_none() {
        eprintln!("skipped: there is no nix-instantiate on PATH");
    }
    Some(Evaluator {
        program: program?,
        patience: Duration::from_secs(120),
    })
}

fn tree() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/checkout")
}

#[test]
fn what_is_read_is_what_nix_says() {
    let Some(evaluator) = evaluator() else { return };
    let read = Checkout::open(&tree()).unwrap().read("3.13.5").unwrap();
    let evaluated = evaluator.evaluate(&tree(), "3.13").unwrap();
    // the tree does not evaluate as a whole while a file of it is not Nix; only such attributes fail
    let untold = [
        "aborting",
        "broken-syntax",
        "missing-file",
        "missing-argument",
    ];
    assert_eq!(evaluated.untold, untold.len());
    for name in untold {
        assert!(!evaluated.told.contains_key(name), "{name}");
    }
    let attributes = Attributes::new(&evaluated.told, &read.packages);
    let mut compared = 0;
    for (name, facts) in &read.packages {
        let Some(Told::Recipe(recipe)) = evaluated.told.get(name) else {
            continue;
        };
        if facts.unknown.contains("version") {
            continue;
        }
        assert_eq!(recipe.version.as_ref(), Some(&facts.version), "{name}");
        assert_eq!(recipe.pname.as_ref(), Some(&facts.pname), "{name}");
        assert_eq!(recipe.broken, Some(facts.broken), "{name}");
        let read = attributes.here(facts.dependencies.as_ref().unwrap());
        let told = attributes
            .needs(recipe.dependencies.as_ref().unwrap())
            .unwrap();
        let told: BTreeSet<String> = told.iter().map(|n| n.attr.clone()).collect();
        assert_eq!(read, told, "{name}");
        compared += 1;
    }
    assert!(compared >= 20, "{compared}");
    for absent in ["gone", "older-only", "not-here"] {
        assert_eq!(evaluated.told[absent], Told::Word("throws".to_owned()));
    }
}

#[test]
fn what_nix_says_counts_and_fills_in() {
    let Some(evaluator) = evaluator() else { return };
    let checkout = Checkout::open(&tree()).unwrap();
    let mut contents = checkout.read("3.13.5").unwrap();
    let before = contents.clone();
    assert!(contents.unknown.contains_key("deep"));
    let evaluated = evaluator.evaluate(&tree(), "3.13").unwrap();
    contents.refine(&evaluated);
    assert_eq!(contents.packages["deep"].version, "1.0");
    assert_eq!(contents.packages["deep"].how, How::Evaluated);
    assert!(!contents.unknown.contains_key("deep"));
    assert!(contents.unknown.contains_key("broken-syntax"));
    assert!(contents.others.contains("not-here"));
    // systems and addresses of patches are only in the files
    let conditional = contents.packages["conditional"]
        .dependencies
        .as_ref()
        .unwrap();
    assert_eq!(conditional[2].systems, ["aarch64-darwin", "x86_64-darwin"]);
    let patches = |c: &Contents| c.packages["patched"].patches.clone();
    assert_eq!(patches(&contents), patches(&before));
    assert_eq!(
        contents.packages["patched"].phases,
        before.packages["patched"].phases
    );
    assert_eq!(contents.packages["xmlkit"].kind, Kind::Foreign);
}

#[test]
fn patience_ends() {
    let Some(evaluator) = evaluator() else { return };
    let hurried = Evaluator {
        patience: Duration::ZERO,
        ..evaluator.clone()
    };
    assert!(matches!(
        hurried.evaluate(&tree(), "3.13"),
        Err(EvaluateError::Late(_))
    ));
    assert!(matches!(
        evaluator.evaluate(&tree(), "3.7"),
        Err(EvaluateError::Refused { .. })
    ));
    let nowhere = Evaluator {
        program: PathBuf::from("no-such-nix-instantiate"),
        ..evaluator
    };
    assert!(matches!(
        nowhere.evaluate(&tree(), "3.13"),
        Err(EvaluateError::Start { .. })
    ));
}
