{ buildPythonPackage }:

buildPythonPackage {
  pname = "aborting";
  version = abort "this cannot be caught";
  pyproject = true;
}
