# Every way in which an attribute can be defined.
self: super: with self; {

  bootstrap = lib.recurseIntoAttrs {
    flit-core = toPythonModule (callPackage ../development/python-modules/flit-core { });
  };

  aborting = callPackage ../development/python-modules/aborting { };

  application = callPackage ../development/python-modules/application { };

  broken-mark = callPackage ../development/python-modules/broken-mark { };

  broken-syntax = callPackage ../development/python-modules/broken-syntax { };

  by-let = callPackage ../development/python-modules/by-let { };

  conditional = callPackage ../development/python-modules/conditional { };

  deep = callPackage ../development/python-modules/deep { };

  # LTS
  duo = self.duo_5;

  duo_5 = callPackage ../development/python-modules/duo/5.nix { };

  duo_6 = callPackage ../development/python-modules/duo/6.nix { };

  final-attrs = callPackage ../development/python-modules/final-attrs { };

  flit-core = callPackage ../development/python-modules/flit-core { };

  gone = throw "gone has been removed, as it was unmaintained";

  inline = buildPythonPackage {
    pname = "inline";
    version = "0.9";
    pyproject = true;
    dependencies = [ plain ];
  };

  missing-argument = callPackage ../development/python-modules/missing-argument { };

  missing-file = callPackage ../development/python-modules/missing-file { };

  native = callPackage ../development/python-modules/native { inherit (pkgs) zlib; };

  native-full = native.override { withTable = true; };

  not-here = callPackage ../development/python-modules/not-here { };

  older-only = disabledIf (pythonAtLeast "3.12") (
    callPackage ../development/python-modules/plain { }
  );

  old-style = callPackage ../development/python-modules/old-style { };

  patched = callPackage ../development/python-modules/patched { };

  plain = callPackage ../development/python-modules/plain { };

  plain-next = plain.overridePythonAttrs (old: rec {
    version = "2.0";
    dependencies = old.dependencies ++ [ old-style ];
  });

  recursive = callPackage ../development/python-modules/recursive { };

  rust = callPackage ../development/python-modules/rust { };

  snapshot-of = callPackage ../development/python-modules/snapshot-of { };

  "2to3" = callPackage ../development/python-modules/two-to-three { };

  xmlkit = toPythonModule (pkgs.xmlkit.override { pythonSupport = true; });

  zlib = if isPyPy then null else callPackage ../development/python-modules/zlib { };
}
