use super::*;

const GOOD: &str = r#"{
  lib,
  buildPythonPackage,
  fetchPypi,

  # build-system
  setuptools,

  # tests
  pytestCheckHook,
}:

buildPythonPackage (finalAttrs: {
  pname = "demo-client";
  version = "1.4.0";
  pyproject = true;

  src = fetchPypi {
    pname = "demo_client";
    inherit (finalAttrs) version;
    hash = "sha256-QHbP8+qRt4UgUtljv9JTPHTooAVIJlhOBY5oWpEfVsU=";
  };

  build-system = [ setuptools ];

  nativeCheckInputs = [ pytestCheckHook ];

  disabledTests = [
    # needs network access
    "test_fetch"
  ];

  pythonImportsCheck = [ "demo_client" ];

  meta = {
    description = "Client for the demo service";
    homepage = "https://demo.test";
    changelog = "https://demo.test/releases/${finalAttrs.version}";
    license = lib.licenses.mit;
    maintainers = with lib.maintainers; [ somebody ];
  };
})
"#;

/// The rules that a text breaks, once each.
fn broken(text: &str) -> BTreeSet<&'static str> {
    let context = Context {
        maintainers: Some(BTreeSet::from(["somebody".to_owned()])),
        executable: false,
    };
    lint(text, &context).iter().map(|f| f.rule.name).collect()
}

#[test]
fn what_reviewers_expect_is_found_good() {
    assert_eq!(lint(GOOD, &Context::default()), []);
    assert!(broken(GOOD).is_empty());
}

/// For every rule a change of the good module that breaks it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "argument-order",
        "  buildPythonPackage,\n  fetchPypi,\n\n  # build-system\n  setuptools,\n",
        "  buildPythonPackage,\n  fetchPypi,\n\n  # build-system\n  wheel,\n  setuptools,\n",
    ),
    (
        "argument-unused",
        "  setuptools,\n",
        "  setuptools,\n  wheel,\n",
    ),
    (
        "attribute-order",
        "  pyproject = true;\n\n",
        "  pyproject = true;\n\n  doCheck = true;\n\n",
    ),
    (
        "attribute-removed",
        "  disabledTests =",
        "  pytestFlagsArray = [ ];\n\n  disabledTests =",
    ),
    (
        "attribute-unknown",
        "pythonImportsCheck =",
        "pythonImportCheck =",
    ),
    ("build-system", "  build-system = [ setuptools ];\n\n", ""),
    (
        "build-tool-in-inputs",
        "  nativeCheckInputs",
        "  buildInputs = [ setuptools ];\n\n  nativeCheckInputs",
    ),
    (
        "check-hook",
        "nativeCheckInputs = [ pytestCheckHook ]",
        "nativeCheckInputs = [ pytest ]",
    ),
    (
        "check-linters",
        "[ pytestCheckHook ]",
        "[\n    black\n    pytestCheckHook\n  ]",
    ),
    (
        "check-missing",
        "  nativeCheckInputs = [ pytestCheckHook ];\n\n  disabledTests = [\n    # needs network access\n    \"test_fetch\"\n  ];\n\n",
        "",
    ),
    ("comment-missing", "    # needs network access\n", ""),
    (
        "dependencies-old-name",
        "  nativeCheckInputs",
        "  propagatedBuildInputs = [ ];\n\n  nativeCheckInputs",
    ),
    (
        "dependency-kind",
        "  nativeCheckInputs",
        "  dependencies = [ \"requests\" ];\n\n  nativeCheckInputs",
    ),
    (
        "dependency-versioned",
        "  nativeCheckInputs",
        "  dependencies = [ django_4 ];\n\n  nativeCheckInputs",
    ),
    (
        "disabled-needless",
        "  src =",
        "  disabled = pythonOlder \"3.9\";\n\n  src =",
    ),
    (
        "do-not-write",
        "  pythonImportsCheck",
        "  catchConflicts = false;\n\n  pythonImportsCheck",
    ),
    (
        "env",
        "  build-system",
        "  DEMO_VERSION = \"1\";\n\n  build-system",
    ),
    ("escape-useless", "Client for", "Client\\. for"),
    ("final-attrs", "(finalAttrs: {\n  pname", "(rec {\n  pname"),
    (
        "final-attrs-passthru",
        "[ pytestCheckHook ]",
        "[ pytestCheckHook ] ++ finalAttrs.optional-dependencies.x",
    ),
    (
        "format-deprecated",
        "  pyproject = true;",
        "  format = \"setuptools\";",
    ),
    ("format-unset", "  pyproject = true;\n", ""),
    ("formatting", "[ setuptools ]", "[setuptools]"),
    ("hash", "hash = \"sha256-QHbP8", "hash = \"QHbP8"),
    (
        "host-platform",
        "  pythonImportsCheck",
        "  doCheck = stdenv.isLinux;\n\n  pythonImportsCheck",
    ),
    (
        "imports-check",
        "  pythonImportsCheck = [ \"demo_client\" ];\n\n",
        "",
    ),
    (
        "main-program",
        "    license =",
        "    mainProgram = finalAttrs.pname;\n    license =",
    ),
    (
        "meta-changelog",
        "https://demo.test/releases/${finalAttrs.version}",
        "https://forge.test/releases/tag/v1.3",
    ),
    ("meta-description", "Client for", "A client for"),
    (
        "meta-homepage",
        "    homepage = \"https://demo.test\";\n",
        "",
    ),
    ("meta-license", "lib.licenses.mit", "lib.licenses.gpl3"),
    ("meta-maintainers", "[ somebody ]", "[ nobody ]"),
    ("meta-with-lib", "  meta = {", "  meta = with lib; {"),
    ("name", "\"demo-client\"", "\"Demo_Client\""),
    (
        "override",
        "[ setuptools ]",
        "[ (setuptools.overridePythonAttrs { }) ]",
    ),
    (
        "path",
        "  nativeCheckInputs",
        "  patches = [ /etc/x.patch ];\n\n  nativeCheckInputs",
    ),
    (
        "phase",
        "  pythonImportsCheck",
        "  installPhase = \"true\";\n\n  pythonImportsCheck",
    ),
    (
        "python-packages",
        "  setuptools,\n",
        "  python3Packages,\n  setuptools,\n",
    ),
    (
        "revision",
        "fetchPypi {\n    pname = \"demo_client\";\n    inherit (finalAttrs) version;",
        "fetchFromGitHub {\n    owner = \"o\";\n    repo = \"r\";\n    rev = \"v${finalAttrs.version}\";",
    ),
    (
        "source",
        "    pname = \"demo_client\";",
        "    pname = \"demo_client\";\n    url = \"x\";",
    ),
    ("syntax", "})\n", "\n"),
    ("todo", "  meta = {", "  # TODO: more\n  meta = {"),
    ("uri", "\"https://demo.test\"", "https://demo.test"),
    ("version", "\"1.4.0\"", "\"v1.4.0\""),
    ("version-literal", "${finalAttrs.version}", "1.4.0"),
];

#[test]
fn every_rule_is_found_where_it_is_broken() {
    for (rule, good, bad) in CASES {
        assert!(GOOD.contains(good), "{rule}: {good:?}");
        let text = GOOD.replacen(good, bad, 1);
        let text = text.replace("(rec {", "rec {").replace("(rec{", "rec {");
        let text = if *rule == "final-attrs" {
            text.replace("})\n", "}\n")
                .replace("inherit (finalAttrs) version;", "inherit version;")
                .replace("finalAttrs.version", "version")
        } else {
            text
        };
        let found = broken(&text);
        assert!(found.contains(rule), "{rule}: {found:?}\n{text}");
    }
    let tested: BTreeSet<&str> = CASES.iter().map(|(rule, ..)| *rule).collect();
    let elsewhere = BTreeSet::from(["file-mode", "list-order"]);
    for rule in rule::RULES {
        assert!(
            tested.contains(rule.name) || elsewhere.contains(rule.name),
            "{}",
            rule.name
        );
    }
}

#[test]
fn files_and_lists_have_rules_too() {
    let context = Context {
        executable: true,
        ..Context::default()
    };
    let found = lint(GOOD, &context);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule.name, "file-mode");
    let list = "self: super: with self; {\n  b = callPackage ./b { };\n\n  a = buildPythonPackage { };\n}\n";
    let found = lint(list, &Context::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].rule.name, line_column(list, found[0].span.start)),
        ("list-order", (4, 1))
    );
}

#[test]
fn names_of_rules_are_in_order_and_places_are_lines_and_columns() {
    assert!(rule::RULES.is_sorted_by_key(|rule| rule.name));
    let text = GOOD.replace("Client for", "a client for");
    let found = lint(&text, &Context::default());
    assert_eq!(line_column(&text, found[0].span.start), (36, 19));
    assert!(found.iter().all(|f| f.rule.name == "meta-description"));
}

#[test]
fn every_rule_is_documented_and_no_other() {
    let text = include_str!("../../../docs/nixpkgs.md");
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: Vec<&str> = rows.collect();
    let rules: Vec<&str> = rule::RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(documented, rules);
}

#[test]
fn descriptions_are_one_sentence() {
    let found = |text: &str| broken(&GOOD.replace("Client for the demo service", text));
    assert!(found("Client. Server too").contains("meta-description"));
    assert!(found("Things, e.g. Clients").is_empty());
    assert!(found("Demo-client for all").contains("meta-description"));
}
