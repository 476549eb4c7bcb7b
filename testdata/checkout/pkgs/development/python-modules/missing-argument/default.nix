{ buildPythonPackage, no-such-package }:

buildPythonPackage {
  pname = "missing-argument";
  version = "1.0";
  pyproject = true;
  dependencies = [ no-such-package ];
}
