//! The part of the Nix language that we write and read.
//!
//! ```
//! use pyresolve::nix::{Expr, Item, print};
//! let set = Expr::Set(vec![Item::bind("2to3", Expr::str("${x}"))]);
//! assert_eq!(print(&set, &[]), "{\n  \"2to3\" = \"\\${x}\";\n}\n");
//! ```

pub mod expr;
pub mod nar;
pub mod print;
pub mod read;
pub mod text;

pub use expr::{Argument, Expr, Item, Operator, Piece};
pub use print::print;
