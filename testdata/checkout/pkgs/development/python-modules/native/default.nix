{
  lib,
  buildPythonPackage,
  pkg-config,
  plain,
  zlib,
  withTable ? false,
}:

buildPythonPackage {
  pname = "native";
  version = "0.7";
  format = "setuptools";
  nativeBuildInputs = [ pkg-config ];
  buildInputs = [ zlib ];
  dependencies = lib.optionals withTable [ plain ];
}
