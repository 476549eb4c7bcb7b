# A package set with the interface that generated files use, built with the host's Python.
# README.md says how, and what it leaves out.
{
  # what ./probe.py found on this machine, as a set
  host ? builtins.fromJSON (builtins.readFile ./host.json),
  system ? builtins.currentSystem,
  # where `mirror://pypi/` leads
  mirror ? "http://index.test/packages/source/",
  # what nixpkgs has: Python packages, and C libraries for ./native.nix
  pythonPackages ? (final: prev: { }),
  libraries ? { },
  # where crates are: NAME/VERSION/download below it
  crates ? "http://crates.test/",
  overlays ? [ ],
  config ? { },
}:
let
  lib = import ./lib.nix;

  # every derivation that comes along with some, by propagation
  propagation =
    drvs:
    map (node: node.drv) (
      builtins.genericClosure {
        startSet = map node (lib.filter lib.isDerivation drvs);
        operator = n: map node (lib.filter lib.isDerivation (n.drv.propagatedBuildInputs or [ ]));
      }
    );
  node = drv: {
    key = drv.outPath;
    inherit drv;
  };

  # attributes of a recipe that are for Nix, not for the builder
  aside = [
    "env"
    "meta"
    "passthru"
    "nativeBuildInputs"
    "buildInputs"
    "propagatedBuildInputs"
    "nativeCheckInputs"
  ];

  mkDerivation =
    recipe:
    let
      arguments =
        if lib.isFunction recipe then recipe (arguments // { finalPackage = result; }) else recipe;
      name = arguments.name or "${arguments.pname}-${arguments.version}";
      propagatedBuildInputs = arguments.propagatedBuildInputs or [ ];
      inputs = propagation (
        arguments.nativeBuildInputs or [ ]
        ++ arguments.buildInputs or [ ]
        ++ propagatedBuildInputs
        ++ lib.optionals (arguments.doInstallCheck or false) (arguments.nativeCheckInputs or [ ])
      );
      env = arguments.env or { };
      drv = derivation (
        removeAttrs arguments aside
        // (
          if lib.isDerivation env || !builtins.isAttrs env then
            throw "${name}: `env` must be a set of environment variables"
          else
            env
        )
        // {
          inherit name system inputs;
          builder = host.shell;
          args = [
            "-e"
            ./build.sh
          ];
          steps = ./steps.py;
          hostPython = host.python.executable;
          hostPath = host.path;
          propagated = propagatedBuildInputs;
          runtime = propagation propagatedBuildInputs;
        }
      );
      result =
        drv
        // {
          inherit name propagatedBuildInputs;
          nativeBuildInputs = arguments.nativeBuildInputs or [ ];
          buildInputs = arguments.buildInputs or [ ];
          meta = arguments.meta or { };
          passthru = arguments.passthru or { };
          overrideAttrs =
            change:
            mkDerivation (
              final:
              let
                old = if lib.isFunction recipe then recipe final else recipe;
              in
              old // (if lib.isFunction change then change old else change)
            );
        }
        // lib.optionalAttrs (arguments ? pname) { inherit (arguments) pname; }
        // lib.optionalAttrs (arguments ? version) { inherit (arguments) version; }
        // lib.optionalAttrs (arguments ? src) { inherit (arguments) src; }
        // arguments.passthru or { };
    in
    result;

  platform = name: rec {
    system = name;
    isLinux = lib.hasSuffix "-linux" name;
    isDarwin = lib.hasSuffix "-darwin" name;
    isUnix = isLinux || isDarwin;
    isWindows = false;
    isx86_64 = lib.hasPrefix "x86_64-" name;
    isAarch64 = lib.hasPrefix "aarch64-" name;
  };

  base = final: {
    inherit lib config system;
    pkgs = final;
    callPackage = lib.callPackageWith final;
    stdenv = {
      inherit mkDerivation system;
      hostPlatform = platform system;
      buildPlatform = platform system;
      cc.cc.lib = final.runCommand "cc-lib" { } "mkdir -p $out/lib";
    };

    # really fetched, by Nix itself, and verified by it
    fetchurl =
      {
        url ? "",
        urls ? [ url ],
        name ? baseNameOf (lib.head urls),
        hash ? "",
        sha256 ? "",
      }:
      let
        first = lib.head urls;
        address =
          if lib.hasPrefix "mirror://pypi/" first then
            mirror + lib.removePrefix "mirror://pypi/" first
          else
            first;
      in
      derivation {
        inherit name urls;
        url = address;
        system = "builtin";
        builder = "builtin:fetchurl";
        preferLocalBuild = true;
        outputHashMode = "flat";
        outputHashAlgo = if hash == "" then "sha256" else null;
        outputHash =
          if (hash == "") == (sha256 == "") then
            throw "fetchurl: ${name} needs one of `hash` and `sha256`"
          else
            hash + sha256;
      }
      // {
        inherit urls;
        url = first;
      };
    fetchPypi = lib.makeOverridable (
      {
        pname,
        version,
        hash ? "",
        sha256 ? "",
        format ? "setuptools",
        extension ? "tar.gz",
        dist ? "py2.py3",
        python ? "py2.py3",
        abi ? "none",
        platform ? "any",
      }:
      final.fetchurl {
        url =
          if format == "wheel" then
            "mirror://pypi/../${dist}/${builtins.substring 0 1 pname}/${pname}/${pname}-${version}-${python}-${abi}-${platform}.whl"
          else if format == "setuptools" then
            "mirror://pypi/${builtins.substring 0 1 pname}/${pname}/${pname}-${version}.${extension}"
          else
            throw "fetchPypi: there is no format ${format}";
        inherit hash sha256;
      }
    );

    runCommand =
      name: attributes: command:
      mkDerivation (
        attributes
        // {
          inherit name;
          buildCommand = command;
        }
      );
    buildEnv =
      {
        name,
        paths,
        postBuild ? "",
      }:
      final.runCommand name {
        paths = propagation paths;
      } "mkdir -p $out; for p in $paths; do cp -rs --no-preserve=mode $p/. $out/; done; ${postBuild}";
    shellSetup = final.runCommand "shell-setup" { } ''
      mkdir $out
      cat > $out/setup <<'END'
      for input in $inputs; do PATH=$input/bin:$PATH; done
      export PATH
      runHook() { eval "''${!1}"; }
      END
    '';
    mkShell =
      {
        name ? "nix-shell",
        packages ? [ ],
        shellHook ? "",
        ...
      }@arguments:
      mkDerivation (
        removeAttrs arguments [ "packages" ]
        // {
          inherit name shellHook;
          # what nix-shell reads first
          stdenv = final.shellSetup;
          nativeBuildInputs = packages ++ arguments.nativeBuildInputs or [ ];
          buildCommand = "export > $out";
        }
      );

    pythonPackagesExtensions = [ ];
    python3 = final.callPackage ./python.nix {
      inherit propagation pythonPackages;
      interpreter = host.python;
      inherit (host) wheels;
    };
    python3Packages = final.python3.pkgs;
  };

  # `python313` is the host's 3.13 where it has one, else it is the host's default
  interpreters =
    final: prev:
    let
      minors = map toString [
        9
        10
        11
        12
        13
        14
        15
      ];
      pick = minor: host.others."3.${minor}" or host.python;
    in
    lib.genAttrs (map (m: "python3${m}") minors) (
      attr: final.python3.override { interpreter = pick (lib.removePrefix "python3" attr); }
    )
    // lib.genAttrs (map (m: "python3${m}Packages") minors) (
      attr: final.${builtins.substring 0 (builtins.stringLength attr - 8) attr}.pkgs
    );

  native =
    final: prev:
    import ./native.nix {
      pkgs = final;
      inherit
        lib
        host
        libraries
        crates
        ;
    };
in
lib.fix (
  lib.extends (lib.composeManyExtensions (
    [
      interpreters
      native
    ]
    ++ overlays
  )) base
)
