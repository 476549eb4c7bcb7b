{
  lib,
  buildPythonPackage,
  fetchPypi,
  flit-core,
  plain,
  old-style,
}:

buildPythonPackage (finalAttrs: {
  pname = "final-attrs";
  version = "4.0.0rc1";
  pyproject = true;

  src = fetchPypi {
    pname = "final_attrs";
    inherit (finalAttrs) version;
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  build-system = [ flit-core ];

  dependencies = [ plain ];

  optional-dependencies = {
    all = finalAttrs.passthru.optional-dependencies.old;
    old = [ old-style ];
  };

  meta = {
    changelog = "https://example.org/${finalAttrs.version}";
    license = lib.licenses.mit;
  };
})
