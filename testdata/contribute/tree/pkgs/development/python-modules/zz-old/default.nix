{ lib, buildPythonPackage, fetchPypi, redis }:
let version = "0.9"; in
buildPythonPackage rec {
  pname = "Zz-Old"; inherit version; # as it was always written
  format = "setuptools";
  src = fetchPypi { inherit pname version; sha256 = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"; };

  propagatedBuildInputs = [ redis ];

  meta = with lib; {
    description = "Module of yesterday";   license = licenses.mit;
    changelog = "https://zz.test/old/0.9";
  };
}
