{
  lib,
  buildPythonPackage,
  fetchPypi,
  flit-core,
}:

buildPythonPackage {
  pname = "plain";
  version = "1.2.3";
  pyproject = true;

  src = fetchPypi {
    pname = "plain";
    version = "1.2.3";
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  build-system = [ flit-core ];

  dependencies = [ ];

  pythonRelaxDeps = true;

  meta.license = lib.licenses.mit;
}
