# An interpreter, its package set, and buildPythonPackage.
{
  lib,
  pkgs,
  stdenv,
  propagation,
  # what nixpkgs has besides the packages below
  pythonPackages,
  # { executable; version; } of the host's Python
  interpreter,
  # the wheels of pip, setuptools and wheel on this machine
  wheels,
  packageOverrides ? (_: _: { }),
  self ? null,
}:
let
  inherit (interpreter) version;
  minor = builtins.head (builtins.match "(3\\.[0-9]+).*" version);
  libPrefix = "python${minor}";
  sitePackages = "lib/${libPrefix}/site-packages";

  # a virtual environment of the host's Python: it sees nothing that the host has installed
  bare = pkgs.runCommand "python3-${version}" { } ''
    ${interpreter.executable} -m venv --without-pip --symlinks $out
  '';
  python = bare // attributes;
  attributes = {
    pname = "python3";
    inherit version libPrefix sitePackages;
    pythonVersion = minor;
    interpreter = "${bare}/bin/python3";
    implementation = "cpython";
    pkgs = set;
    inherit buildEnv;
    withPackages = choose: buildEnv.override { extraLibs = choose set; };
    meta.mainProgram = "python3";
  };
  this = if self == null then python else self;

  isModule = drv: drv ? pythonModule && drv.pythonModule != false;
  modulesOf = drvs: lib.filter isModule (propagation drvs);

  # like nixpkgs' buildEnv, modules of another interpreter and programs are left out
  buildEnv = lib.makeOverridable (
    {
      extraLibs ? [ ],
      ignoreCollisions ? false,
      postBuild ? "",
    }:
    let
      modules = lib.filter (d: d.pythonModule.outPath == bare.outPath) (modulesOf extraLibs);
      env = pkgs.runCommand "python3-${version}-env" { inherit modules ignoreCollisions; } ''
        ${interpreter.executable} -m venv --without-pip --symlinks $out
        $hostPython $steps environment $out/${sitePackages} $out/bin $modules
        ${postBuild}
      '';
    in
    env
    // {
      interpreter = "${env}/bin/python3";
      python = this;
      pkgs = set;
      inherit (attributes) meta;
      # for nix-shell
      env = stdenv.mkDerivation {
        name = "interactive-python3-${version}-environment";
        stdenv = pkgs.shellSetup;
        nativeBuildInputs = [ env ];
        buildCommand = "exit 1";
      };
    }
  ) { };

  # nixpkgs turns a misspelt attribute into an environment variable; here it is an error
  known = [
    "pname"
    "name"
    "version"
    "pyproject"
    "format"
    "disabled"
    "outputs"
    "src"
    "srcs"
    "sourceRoot"
    "patches"
    "prePatch"
    "postPatch"
    "env"
    # as null only: the variable is taken back
    "PBR_VERSION"
    "PDM_BUILD_SCM_VERSION"
    "POETRY_DYNAMIC_VERSIONING_BYPASS"
    "SETUPTOOLS_SCM_PRETEND_VERSION"
    "pythonRelaxDeps"
    "pythonRemoveDeps"
    "build-system"
    "nativeBuildInputs"
    "buildInputs"
    "dependencies"
    "propagatedBuildInputs"
    "optional-dependencies"
    "nativeCheckInputs"
    "checkInputs"
    "disabledTests"
    "disabledTestPaths"
    "pytestFlags"
    "enabledTestPaths"
    "preCheck"
    "postCheck"
    "checkPhase"
    "doCheck"
    "doInstallCheck"
    "preConfigure"
    "preBuild"
    "postBuild"
    "preInstall"
    "postInstall"
    "preFixup"
    "postFixup"
    "buildPhase"
    "installPhase"
    "dontUnpack"
    "dontCheckRuntimeDeps"
    "dontCheckPythonMetadata"
    "configurePhase"
    "dontUseCmakeConfigure"
    "pythonImportsCheck"
    "passthru"
    "meta"
    "cargoDeps"
    "cargoRoot"
    # as null only: an sdist is built from its root
    "buildAndTestSubdir"
  ];

  build =
    application: arguments:
    let
      name = arguments.name or "${arguments.pname}-${arguments.version}";
      fail = message: throw "${name}: ${message}";
      strange = lib.subtractLists known (lib.attrNames arguments);
      # null is as good as absent
      pyproject = arguments.pyproject or null;
      format =
        if pyproject != null && arguments.format or null != null then
          fail "`pyproject` and `format` exclude each other"
        else if arguments.format or null != null then
          arguments.format
        else if pyproject != null then
          (if pyproject then "pyproject" else "other")
        else
          fail "says neither `pyproject = true` nor `format`";
      # only modules of this interpreter can be dependencies
      module =
        what: drv:
        if !lib.isDerivation drv then
          fail "`${what}` holds a ${builtins.typeOf drv}, which is no package"
        else if isModule drv && drv.pythonModule.outPath != bare.outPath then
          fail "`${what}` holds ${drv.name}, which is for another interpreter"
        else
          drv;
      modules =
        what:
        let
          list = arguments.${what} or [ ];
        in
        if builtins.isList list then map (module what) list else fail "`${what}` is no list";
      build-system = modules "build-system";
      dependencies = modules "dependencies" ++ modules "propagatedBuildInputs";
      optional-dependencies = lib.mapAttrs (_: map (module "optional-dependencies")) (
        arguments.optional-dependencies or { }
      );
      # nixpkgs' hook that builds brings `wheel` along
      hooks = lib.optionals (
        (format == "pyproject" || format == "setuptools") && wheels.versions ? wheel
      ) [ set.wheel ];
    in
    if strange != [ ] then
      fail "unknown attributes: ${toString strange}"
    else if arguments.disabled or false then
      fail "is not for Python ${minor}"
    else
      removeAttrs arguments [
        "build-system"
        "dependencies"
        "optional-dependencies"
        "pyproject"
        "disabled"
        "doCheck"
      ]
      // {
        name = lib.optionalString (!application) "${libPrefix}-" + name;
        inherit format sitePackages;
        python = "${bare}/bin/python3";
        pip = wheels.pip;
        nativeBuildInputs = [ bare ] ++ arguments.nativeBuildInputs or [ ] ++ build-system ++ hooks;
        buildInputs = map (module "buildInputs") (arguments.buildInputs or [ ]);
        propagatedBuildInputs = dependencies;
        doInstallCheck = arguments.doCheck or true;
        passthru = {
          pythonModule = if application then false else bare;
          inherit build-system dependencies optional-dependencies;
        }
        // arguments.passthru or { };
      };

  # Changes by overridePythonAttrs apply to the recipe, and before those by overrideAttrs.
  package =
    application: recipe: later:
    let
      call = r: final: if lib.isFunction r then r final else r;
      first = stdenv.mkDerivation (final: build application (call recipe final));
    in
    builtins.foldl' (drv: change: drv.overrideAttrs change) first later
    // {
      overridePythonAttrs =
        change:
        package application (
          final:
          let
            old = call recipe final;
          in
          old // (if lib.isFunction change then change old else change)
        ) later;
      overrideAttrs = change: package application recipe (later ++ [ change ]);
    };

  bootstrap =
    final: pname:
    final.buildPythonPackage {
      inherit pname;
      version = wheels.versions.${pname} or (throw "this machine has no wheel of ${pname}");
      format = "wheel";
      src = builtins.path { path = wheels.${pname}; };
    };

  base = final: {
    inherit lib pkgs stdenv;
    inherit (pkgs) fetchPypi fetchurl;
    python = this;
    pythonPackages = final;
    pythonOlder = lib.versionOlder minor;
    pythonAtLeast = lib.versionAtLeast minor;
    isPyPy = false;
    buildPythonPackage = recipe: package false recipe [ ];
    buildPythonApplication = recipe: package true recipe [ ];
    callPackage = lib.callPackageWith (pkgs // final);
    toPythonModule = drv: drv // { pythonModule = bare; };
    toPythonApplication = drv: drv // { pythonModule = false; };
    hasPythonModule = isModule;
    requiredPythonModules = modulesOf;
    # an empty distribution that meets a requirement
    mkPythonMetaPackage =
      {
        pname,
        version,
        dependencies ? [ ],
        optional-dependencies ? { },
        meta ? { },
      }:
      final.buildPythonPackage {
        inherit
          pname
          version
          dependencies
          optional-dependencies
          meta
          ;
        pyproject = false;
        dontUnpack = true;
        installPhase = ''
          folder=$out/$sitePackages/$pname-$version.dist-info
          mkdir -p $folder
          printf 'Metadata-Version: 2.1\nName: %s\nVersion: %s\n' $pname $version > $folder/METADATA
        '';
      };
    unittestCheckHook = pkgs.runCommand "unittest-check-hook" { } "mkdir $out";
    # there is no pytest here: a package that would run it fails
    pytestCheckHook = pkgs.runCommand "pytest-check-hook" { } "mkdir $out";
    pip = bootstrap final "pip";
    setuptools = bootstrap final "setuptools";
    wheel = bootstrap final "wheel";
    # a small backend of our own under a well-known name
    flit-core = final.buildPythonPackage {
      pname = "flit-core";
      version = "3.12";
      pyproject = true;
      src = ./flit-core;
      pythonImportsCheck = [ "flit_core.buildapi" ];
    };
    # others that run the real programs, whose output they pack with the one above
    meson-python = final.buildPythonPackage {
      pname = "meson-python";
      version = "0.18";
      pyproject = true;
      src = ./meson-python;
      build-system = [ final.flit-core ];
      dependencies = [ final.flit-core ];
      propagatedBuildInputs = [
        pkgs.meson
        pkgs.ninja
      ];
      pythonImportsCheck = [ "mesonpy" ];
    };
    scikit-build-core = final.buildPythonPackage {
      pname = "scikit-build-core";
      version = "0.11";
      pyproject = true;
      src = ./scikit-build-core;
      build-system = [ final.flit-core ];
      dependencies = [ final.flit-core ];
      pythonImportsCheck = [ "scikit_build_core.build" ];
    };
    setuptools-rust = final.buildPythonPackage {
      pname = "setuptools-rust";
      version = "1.12";
      pyproject = true;
      src = ./setuptools-rust;
      build-system = [ final.flit-core ];
      dependencies = [ final.setuptools ];
      pythonImportsCheck = [ "setuptools_rust" ];
    };
  };

  set = lib.fix (
    lib.extends (lib.composeManyExtensions (
      [ pythonPackages ] ++ pkgs.pythonPackagesExtensions ++ [ packageOverrides ]
    )) base
  );
in
python
