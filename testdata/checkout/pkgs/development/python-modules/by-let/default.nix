{
  lib,
  buildPythonPackage,
  fetchFromGitHub,
  flit-core,
}:

let
  version = "3.2.${patch}";
  patch = "1";
in
buildPythonPackage {
  pname = "by-let";
  inherit version;
  pyproject = true;

  src = fetchFromGitHub {
    owner = "example";
    repo = "by-let";
    tag = "v${version}";
    hash = lib.fakeHash or "";
  };

  build-system = [ flit-core ];
}
