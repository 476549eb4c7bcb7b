{ buildPythonApplication, plain }:

buildPythonApplication {
  pname = "application";
  version = "5.0";
  pyproject = true;
  dependencies = [ plain ];
}
