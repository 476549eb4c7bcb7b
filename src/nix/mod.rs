//! The part of the Nix language that we write and read.
