{ buildPythonPackage }:

buildPythonPackage {
  pname = "2to3";
  version = "1.0";
  pyproject = true;
}
