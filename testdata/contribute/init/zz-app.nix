{
  lib,
  buildPythonPackage,
  fetchurl,

  # build-system
  flit-core,

  # dependencies
  redis,
  zz-leaf,
  zz-native,

  # optional-dependencies
  click,

  # tests
  pytest-cov-stub,
  pytest-mock,
  pytestCheckHook,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-app";
  version = "1.2.0";
  pyproject = true;

  src = fetchurl {
    url = "http://index.test/files/zz_app-${finalAttrs.version}.tar.gz";
    hash = "sha256 of zz_app-1.2.0.tar.gz";
  };

  build-system = [ flit-core ];

  dependencies = [
    redis
    zz-leaf
    zz-native
  ];

  optional-dependencies = {
    cli = [ click ];
  };

  nativeCheckInputs = [
    pytest-cov-stub
    pytest-mock
    pytestCheckHook
  ];

  pythonImportsCheck = [ "zz_app" ];

  meta = {
    description = "Tool for the \${zz} service";
    homepage = "https://zz.test/app";
    changelog = "https://zz.test/app/changes/v${finalAttrs.version}.html";
    license = with lib.licenses; [
      asl20
      mit
    ];
    maintainers = with lib.maintainers; [ zz-person ];
    mainProgram = "zz-app";
  };
})
