{ version }:
{
  buildPythonPackage,
  flit-core,
  plain,
}:

buildPythonPackage {
  pname = "duo";
  inherit version;
  pyproject = true;
  build-system = [ flit-core ];
  dependencies = [ plain ];
}
