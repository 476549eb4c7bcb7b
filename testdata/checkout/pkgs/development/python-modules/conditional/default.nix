{
  lib,
  stdenv,
  buildPythonPackage,
  pythonOlder,
  isPyPy,
  plain,
  recursive,
  old-style,
  by-let,
  final-attrs,
  withGui ? false,
}:

buildPythonPackage {
  pname = "conditional";
  version = "1.1";
  pyproject = true;
  disabled = pythonOlder "3.9";

  dependencies = [
    plain
  ]
  ++ lib.optionals (pythonOlder "3.12") [ recursive ]
  ++ lib.optionals (!isPyPy) [ old-style ]
  ++ lib.optionals stdenv.hostPlatform.isDarwin [ by-let ]
  ++ lib.optional withGui final-attrs;

  doCheck = !stdenv.hostPlatform.isDarwin;
}
