//! How much a setup.py may ask of us. A hostile file ends as unknown, not as a hang.

use std::time::Duration;

/// Statements, expressions and loop rounds of one run.
pub const STEPS_PER_RUN: u64 = 400_000;
/// The same, for all runs of one file together.
pub const STEPS: u64 = 2_000_000;
/// Runs that follow other targets.
pub const TARGET_RUNS: usize = 160;
/// Runs that look at the other answer of an undecidable question.
pub const OTHER_RUNS: usize = 48;
/// How many undecidable questions one run answers unusually.
pub const UNUSUAL_ANSWERS: usize = 2;
/// Decisions that one run may take.
pub const DECISIONS: usize = 400;
/// Nested calls of the file's own functions.
pub const CALLS: usize = 60;
/// Nested expressions and statements.
pub const NESTING: usize = 400;
/// Nested brackets, blocks, and operators that the parser recurses into, of one statement.
pub const SYNTAX_NESTING: usize = 100;
/// Operators of one logical line; a chain of them nests as deeply.
pub const OPERATORS: usize = 3_000;
/// The largest source file that is parsed.
pub const SOURCE_BYTES: usize = 2 << 20;
/// Bytes of texts and elements of lists that one run may make.
pub const ALLOCATION: usize = 48 << 20;
/// The longest text.
pub const TEXT: usize = 8 << 20;
/// The longest list.
pub const ITEMS: usize = 100_000;
/// Files that are read, each once.
pub const FILES: usize = 400;
/// Files and folders that a search looks at.
pub const WALK: usize = 20_000;
/// Backtracking steps of one search for a regular expression.
pub const BACKTRACKING: usize = 50_000;
/// The last resort: after this long nothing new is begun.
pub const TIME: Duration = Duration::from_millis(600);
/// The stack of the thread that parses and evaluates.
pub const STACK: usize = 192 << 20;
/// The elements of a value that is compared, copied or shown as a whole.
pub const COMPARED: usize = 20_000;
