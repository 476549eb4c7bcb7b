# The shell to work in: `nix-shell`.
{
  pkgs ? import <nixpkgs> { },
}:
let
  project = import ./dependencies.nix { inherit pkgs; };
in
pkgs.mkShell {
  packages = [
    project.env
    # programs beside Python, such as pkgs.postgresql
  ];

  shellHook = ''
    # where Python and OpenSSL look for certificates
    export SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt
  '';
}
