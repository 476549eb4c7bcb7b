# Rust: crates of a Cargo.lock as a folder that Cargo takes them from, and nixpkgs' hooks.
{
  pkgs,
  lib,
  crates,
}:
let
  hook =
    name: text:
    pkgs.runCommand name { inherit text; } ''
      mkdir -p $out/nix-support
      echo "$text" > $out/nix-support/setup-hook
    '';
in
{
  importCargoLock =
    {
      lockFile,
      outputHashes ? { },
    }:
    let
      packages = (builtins.fromTOML (builtins.readFile lockFile)).package;
      isFrom = place: p: lib.hasPrefix "${place}+" (p.source or "");
      crate =
        p:
        pkgs.fetchurl {
          name = "crate-${p.name}-${p.version}.tar.gz";
          url = "${crates}${p.name}/${p.version}/download";
          sha256 = p.checksum;
        };
      vendored = lib.filter (isFrom "registry") packages;
    in
    if lib.filter (isFrom "git") packages != [ ] || outputHashes != { } then
      throw "crates of repositories are not part of this package set"
    else
      pkgs.runCommand "cargo-vendor-dir"
        {
          crates = map crate vendored;
          sums = map (p: p.checksum) vendored;
          inherit lockFile;
        }
        ''
          mkdir $out
          cp $lockFile $out/Cargo.lock
          set -- $sums
          for crate in $crates; do
            folder=$out/$(basename $crate)
            mkdir $folder
            tar xzf $crate -C $folder --strip-components=1
            echo "{\"files\":{},\"package\":\"$1\"}" > $folder/.cargo-checksum.json
            shift
          done
        '';

  # as in nixpkgs the lock of the crates must be the source's own
  cargoSetupHook = hook "cargo-setup-hook" ''
    cargoSetupUnpack() {
        mkdir -p .cargo
        printf '%s\n' '[source.crates-io]' 'replace-with = "vendored"' '[source.vendored]' \
            "directory = \"$cargoDeps\"" > .cargo/config.toml
    }
    cargoSetupCompare() {
        if ! cmp "$cargoDeps/Cargo.lock" "''${cargoRoot:+$cargoRoot/}Cargo.lock"; then
            echo "Cargo.lock is not the one that the crates are from"
            exit 1
        fi
    }
    postUnpackHooks+=(cargoSetupUnpack)
    postPatchHooks+=(cargoSetupCompare)
  '';

  maturinBuildHook =
    let
      inherit (pkgs) cargo rustc;
    in
    hook "maturin-build-hook" ''
      export PATH=${cargo}/bin:${rustc}/bin:$PATH
      maturinBuild() {
          if [ -n "$buildAndTestSubdir" ]; then cd "$buildAndTestSubdir"; fi
          PYTHONPATH=${../flit-core} "$python" ${./maturin.py}
      }
      buildPhase=maturinBuild
    '';
}
