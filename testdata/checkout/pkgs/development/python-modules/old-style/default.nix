{ buildPythonPackage, fetchPypi, plain }:

buildPythonPackage rec {
  pname = "Old_Style";
  version = "1.4";
  format = "setuptools";

  src = fetchPypi {
    inherit pname version;
    sha256 = "0000000000000000000000000000000000000000000000000000";
  };

  propagatedBuildInputs = [
    plain
    null
  ];

  doCheck = false;
}
