{
  pkgs ? import <nixpkgs> { },
}:
let
  inherit (pkgs) lib;
in
pkgs.rustPlatform.buildRustPackage {
  pname = "pyresolve";
  version = (lib.importTOML ./Cargo.toml).package.version;

  src = lib.fileset.toSource {
    root = ./.;
    fileset = lib.fileset.unions [
      ./Cargo.toml
      ./Cargo.lock
      ./data
      ./src
    ];
  };

  cargoLock.lockFile = ./Cargo.lock;

  nativeBuildInputs = [ pkgs.installShellFiles ];

  # they run the program against a loopback index and with Nix: `sh tests/run.sh`
  doCheck = false;

  postInstall = lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) ''
    $out/bin/pyresolve man pages
    installManPage pages/*.1
    for shell in bash fish zsh; do
      $out/bin/pyresolve completions $shell > pyresolve.$shell
    done
    installShellCompletion pyresolve.{bash,fish,zsh}
  '';

  meta = {
    description = "Turns a Python project into pinned, readable, reviewable Nix";
    license = [
      lib.licenses.mit
      lib.licenses.asl20
    ];
    mainProgram = "pyresolve";
    platforms = lib.platforms.unix;
  };
}
