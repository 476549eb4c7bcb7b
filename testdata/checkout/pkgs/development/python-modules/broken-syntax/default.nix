{ buildPythonPackage }:

buildPythonPackage {
  pname = "broken-syntax"
  version = "1.0";
}
