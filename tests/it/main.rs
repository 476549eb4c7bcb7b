//! The one integration binary; every other file here is a module of it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod against;
mod allow_build;
mod build;
mod build_native;
mod calamity;
mod channel;
mod checkout;
mod closure;
mod contribute;
mod daily;
mod damage;
mod day;
mod direct;
mod docs;
mod far;
mod foreign;
mod format;
mod index;
mod index_cache;
mod init;
mod inspect;
mod lock;
mod metadata;
mod native;
mod nix;
mod remembered;
mod report;
mod show;
mod spans;
mod support;
