{
  lib,
  buildPythonPackage,
  fetchFromGitHub,
  setuptools,
}:

buildPythonPackage rec {
  pname = "zz-forge";
  version = "2.0";
  pyproject = true;

  src = fetchFromGitHub {
    owner = "zz-nobody";
    repo = "zz-forge";
    tag = "v${version}";
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  build-system = [ setuptools ];

  meta.license = lib.licenses.mit;
}
