# The least that the recipes here need to be evaluated. Derivations are plain sets: nothing is built.
{
  config ? { },
  overlays ? [ ],
  system ? "x86_64-linux",
}:
let
  lib = rec {
    optionals = condition: list: if condition then list else [ ];
    optional = condition: one: optionals condition [ one ];
    optionalString = condition: text: if condition then text else "";
    optionalAttrs = condition: set: if condition then set else { };
    versionOlder = a: b: builtins.compareVersions b a == 1;
    versionAtLeast = a: b: !versionOlder a b;
    licenses.mit = "mit";
    recurseIntoAttrs = set: set // { recurseForDerivations = true; };
    makeOverridable =
      f: arguments:
      f arguments
      // {
        override = new: makeOverridable f (arguments // new);
      };
  };

  stdenv.hostPlatform = {
    inherit system;
    isLinux = system == "x86_64-linux";
    isDarwin = false;
    isAarch64 = false;
  };

  fetcher = name: arguments: {
    type = "derivation";
    inherit name;
    outPath = "/source";
  } // arguments;

  pkgs = {
    inherit lib pkgs stdenv;
    fetchPypi = fetcher "file.tar.gz";
    fetchurl = fetcher "file.tar.gz";
    fetchpatch = fetcher "patch";
    fetchFromGitHub = fetcher "source";
    rustPlatform = {
      fetchCargoVendor = fetcher "vendor";
      cargoSetupHook = derivation' { pname = "cargo-setup-hook"; version = "1"; };
      maturinBuildHook = derivation' { pname = "maturin-build-hook"; version = "1"; };
    };
    zlib = derivation' { pname = "zlib"; version = "1.3"; };
    pkg-config = derivation' { pname = "pkg-config"; version = "0.29"; };
    xmlkit = call pkgs (import ./pkgs/by-name/xm/xmlkit/package.nix) { };
    mkDerivation = derivation';
    python313 = python;
    python313Packages = python.pkgs;
  };

  derivation' =
    arguments:
    let
      set = if builtins.isFunction arguments then arguments (set // { passthru = set; }) else arguments;
    in
    {
      type = "derivation";
      name = "${set.pname}-${set.version}";
      outPath = "/${set.pname}-${set.version}";
      override = new: derivation' arguments;
    }
    // set;

  call =
    scope: function: explicit:
    let
      wanted = builtins.functionArgs function;
      found = builtins.intersectAttrs wanted scope;
      missing = builtins.filter (n: !(scope ? ${n}) && !(explicit ? ${n}) && !wanted.${n}) (
        builtins.attrNames wanted
      );
    in
    if missing != [ ] then
      abort "Function called without required argument \"${builtins.head missing}\""
    else
      lib.makeOverridable function (found // explicit);

  build =
    form: arguments:
    let
      final =
        if builtins.isFunction arguments then
          arguments (final // { passthru = final; })
        else
          arguments;
      made = derivation' (
        final
        // {
          dependencies = (final.dependencies or [ ]) ++ (final.propagatedBuildInputs or [ ]);
          propagatedBuildInputs = (final.dependencies or [ ]) ++ (final.propagatedBuildInputs or [ ]);
        }
        // (if form == "module" then { pythonModule = python; } else { })
      );
    in
    if final.disabled or false then
      throw "${final.pname} not supported for this interpreter"
    else
      made
      // {
        overridePythonAttrs =
          change:
          build form (
            let
              new = if builtins.isFunction change then change final else change;
            in
            final // new
          );
      };

  python = derivation' {
    pname = "python3";
    version = "3.13.5";
    pythonVersion = "3.13";
    pkgs = self;
  };

  base = {
    inherit python;
    callPackage =
      path: explicit:
      call (pkgs // self) (if builtins.isFunction path then path else import path) explicit;
    buildPythonPackage = build "module";
    buildPythonApplication = build "application";
    toPythonModule = drv: drv // { pythonModule = python; };
    disabledIf = condition: drv: if condition then throw "disabled" else drv;
    pythonOlder = lib.versionOlder python.pythonVersion;
    pythonAtLeast = lib.versionAtLeast python.pythonVersion;
    isPyPy = false;
    inherit lib pkgs;
  };

  shards = ./pkgs/development/python-modules/by-name;
  byName =
    builtins.foldl' (
      all: shard:
      all
      // builtins.mapAttrs (name: _: base.callPackage (shards + "/${shard}/${name}/package.nix") { }) (
        builtins.readDir (shards + "/${shard}")
      )
    ) { } (builtins.attrNames (builtins.readDir shards));

  self = base // byName // (import ./pkgs/top-level/python-packages.nix self base);
in
pkgs
