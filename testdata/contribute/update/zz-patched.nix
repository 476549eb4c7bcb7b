{
  buildPythonPackage,
  fetchurl,
  flit-core,
}:

buildPythonPackage (finalAttrs: {
  pname = "zz-patched";
  version = "3.1";
  pyproject = true;

  src = fetchurl {
    url = "https://files.test/zz_patched-${finalAttrs.version}.tar.gz";
    hash = "sha256 of zz_patched-3.1.tar.gz";
  };

  patches = [
    ./still-good.patch
    ./stale.patch
  ];

  postPatch = ''
    substituteInPlace pyproject.toml --replace-fail "flit-core==3" "flit-core"
  '';

  build-system = [ flit-core ];
})
