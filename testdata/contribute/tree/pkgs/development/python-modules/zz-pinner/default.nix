{
  buildPythonPackage,
  fetchPypi,
  flit-core,
  zz-modern,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-pinner";
  version = "1.0";
  pyproject = true;

  src = fetchPypi {
    pname = "zz_pinner";
    inherit (finalAttrs) version;
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  build-system = [ flit-core ];

  dependencies = [ zz-modern ];
})
