# Python packages of a small tree.
self: super: with self; {
  # keep-sorted start block=yes newline_separated=yes
  click = callPackage ../development/python-modules/click { };

  flit-core = callPackage ../development/python-modules/flit-core { };

  # needed by the tests of many
  pytest-cov-stub = callPackage ../development/python-modules/pytest-cov-stub { };

  pytest-mock = callPackage ../development/python-modules/pytest-mock { };

  redis = callPackage ../development/python-modules/redis { };

  zlib = callPackage ../development/python-modules/zlib { };

  zz-app = callPackage ../development/python-modules/zz-app { };

  zz-computed = callPackage ../development/python-modules/zz-computed { };

  zz-forge = callPackage ../development/python-modules/zz-forge { };

  zz-leaf = callPackage ../development/python-modules/zz-leaf { };

  zz-modern = callPackage ../development/python-modules/zz-modern { };

  zz-native = callPackage ../development/python-modules/zz-native { inherit (pkgs) zlib; };

  zz-old = callPackage ../development/python-modules/zz-old { };

  zz-patched = callPackage ../development/python-modules/zz-patched { };

  zz-pinner = callPackage ../development/python-modules/zz-pinner { };
  # keep-sorted end
}
