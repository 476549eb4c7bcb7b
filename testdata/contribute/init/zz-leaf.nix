{
  lib,
  buildPythonPackage,
  fetchurl,

  # build-system
  flit-core,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-leaf";
  version = "1.0";
  pyproject = true;

  src = fetchurl {
    url = "http://index.test/files/zz_leaf-${finalAttrs.version}.tar.gz";
    hash = "sha256 of zz_leaf-1.0.tar.gz";
  };

  build-system = [ flit-core ];

  # no tests in the source

  pythonImportsCheck = [ "zz_leaf" ];

  meta = {
    description = "Leaf of things";
    homepage = "https://zz.test/leaf";
    # TODO: license = lib.licenses.…; the classifier says `BSD License`, which is not certain
    maintainers = with lib.maintainers; [ zz-person ];
  };
})
