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

      # `nix flake check` builds the environment
      checks = eachSystem (pkgs: project: { inherit (project) env; });

      # the entries, for package sets of others
      overlays.default = final: prev: {
        pythonPackagesExtensions = prev.pythonPackagesExtensions ++ [
          (import ./dependencies.nix { pkgs = final; }).dependencies
        ];
      };
    };
}
