{
  lib,
  buildPythonPackage,
  fetchFromGitHub,
  redis,
  setuptools,
}:

buildPythonPackage rec {
  pname = "zz-forge";
  version = "2.1";
  pyproject = true;

  src = fetchFromGitHub {
    owner = "zz-nobody";
    repo = "zz-forge";
    tag = "v${version}";
    hash = "sha256-QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ=";
  };

  build-system = [ setuptools ];

  dependencies = [ redis ];

  meta.license = lib.licenses.mit;
}
