{ buildPythonPackage }:

buildPythonPackage {
  pname = "snapshot-of";
  version = "1.5-unstable-2026-01-31";
  pyproject = true;
}
