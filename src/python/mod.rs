//! The language of Python packaging, as the PyPA specifications define it.
//!
//! ```
//! use pyresolve::python::Requirement;
//! let requirement = Requirement::parse("tornado>=6.5; python_version >= '3.9'").unwrap();
//! assert_eq!(requirement.name.as_ref(), "tornado");
//! ```

pub mod environment;
pub mod filename;
pub mod hash;
pub mod lenient;
mod limit;
pub mod marker;
pub mod metadata;
pub mod range;
pub mod requirement;
pub mod requires;
pub mod specifier;
pub mod tag;

pub use environment::{Environment, System, TargetSet, Targets};
pub use filename::Filename;
pub use hash::Sha256;
pub use metadata::{About, Metadata, MetadataError};
pub use pep440_rs::{Version, VersionSpecifiers};
pub use pep508_rs::{ExtraName, MarkerTree, PackageName};
pub use requirement::{Requirement, Wanted, without_login};
pub use requires::Requires;
