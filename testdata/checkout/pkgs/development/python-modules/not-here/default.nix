{ buildPythonPackage, pythonAtLeast }:

buildPythonPackage {
  pname = "not-here";
  version = "1.0";
  pyproject = true;
  disabled = pythonAtLeast "3.13";
}
