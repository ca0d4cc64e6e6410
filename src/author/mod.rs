//! What keeps a course true, for those who write one: [`lint()`] finds what is wrong with lessons, checks and solution, [`sync()`]
//! writes the solution's lines into the lessons' code blocks, [`Scaffold`] begins a lesson, a step or a check, and [`prove`] shows
//! that each step is worth its points and that each [`mistake`] is named right.
//!
//! A code block with `file=` is tied to the state after its step ([`States::after`](crate::solution::States::after)). Its lines fall into parts, between lines that
//! say that something is left out; a part begins and ends with lines that its author chose, and shows all that the state has
//! between them. So whatever changes between the two is written anew, and what cannot be tied any more is told.
//!
//! All of it works on a checkout: a folder with `lessons/` and `checks/`, and `solutions/` where a course has one.

mod block;
mod checkout;
mod fit;
mod lint;
pub mod mistake;
pub mod prove;
mod scaffold;
mod sync;
mod tie;

pub use checkout::{AuthorError, Checkout};
pub use lint::{Linted, Tally, lint};
pub use scaffold::{Scaffold, Written};
pub use sync::{Rewritten, Synced, sync};

/// How a scaffold marks what its author has to write: `‹why›`. A lesson or a check file with such a mark left is not finished.
const PLACEHOLDER: (char, char) = ('‹', '›');
