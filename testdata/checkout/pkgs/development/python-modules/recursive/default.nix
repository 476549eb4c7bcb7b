{
  buildPythonPackage,
  fetchurl,
  plain,
}:

buildPythonPackage rec {
  pname = "recursive";
  version = "0.3";
  pyproject = true;

  src = fetchurl {
    url = "https://example.org/${pname}/${pname}-${version}.tar.gz";
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  dependencies = [ plain ];
}
