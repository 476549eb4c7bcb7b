# An image for Docker or Podman: `docker load < $(nix-build image.nix)`.
{
  pkgs ? import <nixpkgs> { },
}:
let
  project = import ./dependencies.nix { inherit pkgs; };
in
pkgs.dockerTools.buildLayeredImage {
  name = "environment";
  tag = "latest";
  contents = [
    project.env
    pkgs.cacert
  ];
  config = {
    Cmd = [ "${project.env}/bin/python3" ];
    Env = [ "SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt" ];
  };
}
