//! What nixpkgs has: Python attributes with the projects and versions they install, libraries, licences.

pub mod attribute;
pub mod bootstrap;
mod bundled;
pub mod channel;
pub mod checkout;
pub mod date;
pub mod evaluate;
pub mod facts;
pub mod flake;
mod keep;
pub mod library;
pub mod license;
pub mod snapshot;
pub mod source;
pub mod twin;

pub use attribute::{Attribute, Nixpkgs};
pub use bootstrap::is_bootstrap;
pub use facts::AttributeFacts;
pub use twin::{is_exact, is_importable_alone, twin_of};
