{
  lib,
  buildPythonPackage,
  fetchPypi,

  # build-system
  setuptools,

  # dependencies
  pytest-mock,
  redis,
  zlib,

  # tests
  pytestCheckHook,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-modern";
  version = "1.1";
  pyproject = true;

  src = fetchPypi {
    pname = "zz_modern";
    inherit (finalAttrs) version;
    hash = "sha256 of zz_modern-1.1.tar.gz";
  };

  build-system = [ setuptools ];

  dependencies = [
    pytest-mock
    # since 0.9
    redis
    zlib
  ];

  nativeCheckInputs = [ pytestCheckHook ];

  disabledTests = [
    # needs network access
    "test_fetch"
  ];

  pythonImportsCheck = [ "zz_modern" ];

  meta = {
    description = "Module of today";
    homepage = "https://zz.test/modern";
    changelog = "https://zz.test/modern/changes/${finalAttrs.version}";
    license = lib.licenses.mit;
    maintainers = with lib.maintainers; [ zz-person ];
  };
})
