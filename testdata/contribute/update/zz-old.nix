{ lib, buildPythonPackage, fetchPypi, click, zlib }:
let version = "1.0"; in
buildPythonPackage rec {
  pname = "Zz-Old"; inherit version; # as it was always written
  format = "setuptools";
  src = fetchPypi { pname = "zz_old"; inherit version; hash = "sha256 of zz_old-1.0.tar.gz"; };

  propagatedBuildInputs = [ click zlib ];

  meta = with lib; {
    description = "Module of yesterday";   license = licenses.mit;
    changelog = "https://zz.test/old/0.9";
  };
}
