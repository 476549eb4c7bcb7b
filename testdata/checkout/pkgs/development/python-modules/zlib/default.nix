{ buildPythonPackage, pkgs }:

buildPythonPackage {
  pname = "zlib-binding";
  version = "0.2";
  format = "setuptools";
  buildInputs = [ pkgs.zlib ];
}
