//! Requirements and releases to pins.

pub mod resolution;

pub use resolution::{Edge, Pin, Resolution};
