//! What the integration tests share.

#![allow(
    dead_code,
    reason = "a vocabulary for tests: not every word is in use at all times"
)]

pub mod browser;
pub mod elf;
pub mod forge;
pub mod index;
pub mod nix;
pub mod project;
pub mod workshop;
