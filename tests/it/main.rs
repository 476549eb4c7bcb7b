//! The one integration binary; every other file here is a module of it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod build;
mod calamity;
mod checkout;
mod direct;
mod index;
mod index_cache;
mod inspect;
mod lock;
mod nix;
mod show;
mod support;
