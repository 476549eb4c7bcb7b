{ buildPythonPackage }:

buildPythonPackage {
  pname = "broken-mark";
  version = "1.0";
  pyproject = true;
  meta.broken = true;
}
