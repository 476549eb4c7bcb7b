{
  lib,
  buildPythonPackage,
  fetchFromGitHub,

  # build-system
  flit-core,

  # tests
  pytestCheckHook,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-hub";
  version = "1.0";
  pyproject = true;

  src = fetchFromGitHub {
    owner = "zz-nobody";
    repo = "zz-hub";
    tag = "v${finalAttrs.version}";
    hash = "sha256-cRUnoi0x783QbXZ+QWoDUrprDJ1kpawq8UzPO/tx9q4=";
  };

  build-system = [ flit-core ];

  nativeCheckInputs = [ pytestCheckHook ];

  pythonImportsCheck = [ "zz_hub" ];

  meta = {
    description = "Hub of things";
    homepage = "https://github.com/zz-nobody/zz-hub";
    changelog = "https://github.com/zz-nobody/zz-hub/releases/tag/${finalAttrs.src.tag}";
    license = lib.licenses.mit;
    maintainers = [ ];
  };
})
