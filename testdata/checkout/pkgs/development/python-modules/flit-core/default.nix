{ buildPythonPackage }:

buildPythonPackage {
  pname = "flit-core";
  version = "3.12.0";
  pyproject = true;
}
