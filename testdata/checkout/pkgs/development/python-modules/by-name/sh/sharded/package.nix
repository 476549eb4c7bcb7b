{ buildPythonPackage, plain }:

buildPythonPackage {
  pname = "sharded";
  version = "7.0";
  pyproject = true;
  dependencies = [ plain ];
}
