{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      eachSystem =
        make:
        nixpkgs.lib.genAttrs systems (
          system:
          let
            pkgs = nixpkgs.legacyPackages.${system};
          in
          make pkgs (import ./dependencies.nix { inherit pkgs; })
        );

      # The program that writes the files, for the check below: null where nixpkgs lacks it. With its
      # flake as an input: `pkgs: pyresolve.packages.${pkgs.stdenv.hostPlatform.system}.default`
      pyresolveOf = pkgs: pkgs.pyresolve or null;
    in
    {
      # `nix build`: ./result/bin/python3
      packages = eachSystem (pkgs: project: { default = project.env; });

      # `nix develop`
      devShells = eachSystem (
        pkgs: project: {
          default = pkgs.mkShell {
            packages = [
              project.env
              # programs beside Python, such as pkgs.postgresql
            ];
          };
        }
      );

      # `nix flake check` builds the environment, and asks whether the files are what the sources ask for
      checks = eachSystem (
        pkgs: project:
        {
          inherit (project) env;
        }
        // nixpkgs.lib.optionalAttrs (pyresolveOf pkgs != null) {
          dependencies = pkgs.runCommand "pyresolve-check" { nixpkgs = "${nixpkgs}"; } ''
            PYRESOLVE_CACHE_DIR=$PWD ${pyresolveOf pkgs}/bin/pyresolve check ${self} --offline
            touch $out
          '';
        }
      );

      # the entries, for package sets of others
      overlays.default = final: prev: {
        pythonPackagesExtensions = prev.pythonPackagesExtensions ++ [
          (import ./dependencies.nix { pkgs = final; }).dependencies
        ];
      };
    };
}
