//! What the integration tests share.

#[allow(dead_code)]
pub mod loopback;
#[allow(dead_code)]
pub mod nix;
#[allow(dead_code)]
pub mod release;
