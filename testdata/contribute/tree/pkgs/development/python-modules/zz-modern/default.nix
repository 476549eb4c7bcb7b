{
  lib,
  buildPythonPackage,
  fetchPypi,

  # build-system
  flit-core,

  # dependencies
  click,
  redis,

  # tests
  pytestCheckHook,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-modern";
  version = "1.0";
  pyproject = true;

  src = fetchPypi {
    pname = "zz_modern";
    inherit (finalAttrs) version;
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  build-system = [ flit-core ];

  dependencies = [
    click # for the command
    # since 0.9
    redis
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
