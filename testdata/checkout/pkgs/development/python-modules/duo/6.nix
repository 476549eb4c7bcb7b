import ./generic.nix { version = "6.0.3"; }
