//! pyresolve turns a Python project into pinned, readable, reviewable Nix.
//!
//! The folders are the architecture. Two languages ([`python`], [`nix`]), three places
//! ([`project`], [`index`], [`nixpkgs`]), five steps ([`resolve`], [`plan`], [`assemble`],
//! [`render`], [`write`]) and one face ([`cli`]):
//!
//! ```text
//! project ──Requirement──▶ resolve ──Resolution──▶ plan ──Plan──▶ render ──Document──▶ write
//!  (what the user has)        ▲                     ▲
//!                          Release               Attribute
//!                             │                     │
//!                           index                nixpkgs
//!                       (what PyPI has)     (what nixpkgs has)
//! ```
//!
//! [`assemble`] is the loop between `resolve` and `plan`: an entry needs its source read, a
//! source has build requirements, and those are resolved too until nothing new appears.
//!
//! [`contribute`] writes for nixpkgs itself what `render` writes for a user: modules in a checkout,
//! which a person submits.
//!
//! A folder may use folders of lower floors only; `tests/house.rs` holds it to that. Logic never
//! prints: [`problem`] and [`event`] carry what can be said, and only [`cli`] says it.

pub mod event;
pub mod problem;

pub mod nix;
pub mod python;

pub mod nixpkgs;
pub mod project;

pub mod index;

pub mod sandbox;

pub mod resolve;

pub mod plan;

pub mod assemble;

pub mod render;
pub mod report;

pub mod contribute;

pub mod write;

pub mod cli;
