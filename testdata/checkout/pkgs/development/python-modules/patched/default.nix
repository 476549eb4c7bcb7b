{
  lib,
  buildPythonPackage,
  fetchFromGitHub,
  fetchpatch,
  final-attrs,
  plain,
}:

buildPythonPackage rec {
  pname = "patched";
  version = "2.5";
  pyproject = true;

  src = fetchFromGitHub {
    owner = "example";
    repo = "patched";
    rev = "refs/tags/${version}";
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  sourceRoot = "${src.name}/python";

  patches = [
    ./no-network.patch
    (fetchpatch {
      url = "https://example.org/fix.patch";
      hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    })
  ];

  postPatch = ''
    substituteInPlace pyproject.toml \
      --replace-fail "plain<1" "plain"
    echo ${version}
  '';

  pythonRelaxDeps = [ "plain" ];

  pythonRemoveDeps = [ "unneeded" ];

  dependencies = [
    plain
    final-attrs
  ]
  ++ final-attrs.optional-dependencies.old;

  disabledTests = [ "test_network" ];

  disabledTestPaths = [ "tests/slow" ];
}
