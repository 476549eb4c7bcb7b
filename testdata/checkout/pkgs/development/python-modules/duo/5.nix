import ./generic.nix { version = "5.2.12"; }
