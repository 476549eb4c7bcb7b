# Programs and C libraries for extension modules: the host's pkg-config, CMake, Meson, Ninja and Rust,
# and libraries that are compiled here from a header and a source file.
{
  pkgs,
  lib,
  host,
  libraries,
  crates,
}:
let
  # a program of the host, with what nixpkgs' one does to builds that have it among their inputs
  program =
    name: hook:
    if host.programs.${name} == null then
      throw "the host has no ${name}"
    else
      pkgs.runCommand name { inherit hook; } ''
        mkdir -p $out/bin $out/nix-support
        ln -s ${host.programs.${name}} $out/bin/${name}
        echo "$hook" > $out/nix-support/setup-hook
      '';
in
{
  cmake = program "cmake" ''
    if [ -z "$dontUseCmakeConfigure$configurePhase" ]; then
      configurePhase='cmake -S . -B build; cd build'
    fi
  '';
  meson = program "meson" "";
  ninja = program "ninja" "";
  cargo = program "cargo" "";
  rustc = program "rustc" "";
  rustPlatform = import ./rust { inherit pkgs lib crates; };
  pkg-config =
    if host.pkgConfig == null then
      throw "the host has no pkg-config"
    else
      pkgs.runCommand "pkg-config" { } ''
        mkdir -p $out/bin
        ln -s ${host.pkgConfig} $out/bin/pkg-config
      '';
  autoPatchelfHook = pkgs.runCommand "auto-patchelf-hook" { } "mkdir -p $out";
}
// lib.mapAttrs (
  attr:
  {
    # pkg-config's name of it, and the linker's
    module,
    linkName,
    version,
    header,
    source,
  }:
  pkgs.stdenv.mkDerivation {
    pname = attr;
    inherit
      version
      module
      linkName
      header
      source
      ;
    passAsFile = [
      "source"
      "header"
    ];
    buildCommand = ''
      mkdir -p $out/include $out/lib/pkgconfig
      cp "$headerPath" $out/include/$linkName.h
      cp "$sourcePath" $linkName.c
      cc -shared -fPIC -I$out/include -o $out/lib/lib$linkName.so $linkName.c
      printf '%s\n' "Name: $module" "Description: $pname" "Version: $version" \
        "Cflags: -I$out/include" "Libs: -L$out/lib -Wl,-rpath,$out/lib -l$linkName" \
        > $out/lib/pkgconfig/$module.pc
    '';
  }
) libraries
