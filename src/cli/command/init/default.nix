# The environment: `nix-build` makes ./result/bin/python3, for an editor for example.
{
  pkgs ? import <nixpkgs> { },
}:
(import ./dependencies.nix { inherit pkgs; }).env
