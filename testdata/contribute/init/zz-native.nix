{
  lib,
  buildPythonPackage,
  fetchurl,

  # build-system
  setuptools,

  # buildInputs
  zlib,

  # tests
  unittestCheckHook,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-native";
  version = "0.3";
  pyproject = true;

  src = fetchurl {
    url = "http://index.test/files/zz_native-${finalAttrs.version}.tar.gz";
    hash = "sha256 of zz_native-0.3.tar.gz";
  };

  build-system = [ setuptools ];

  buildInputs = [ zlib ];

  nativeCheckInputs = [ unittestCheckHook ];

  pythonImportsCheck = [ "zz_native" ];

  meta = {
    description = "Project of a test";
    license = lib.licenses.mit;
    maintainers = with lib.maintainers; [ zz-person ];
  };
})
