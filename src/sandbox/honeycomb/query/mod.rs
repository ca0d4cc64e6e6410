//! Query Data: from a query specification and events to rows, without any I/O.

mod calculation;
mod filter;
mod spec;
mod table;

pub use calculation::Calculation;
pub use filter::Filter;
pub use spec::{Combination, Having, Order, Spec, SpecError, Window, parse};
pub use table::Table;

/// The most rows of a result with its series.
pub const MAX_LIMIT: usize = 1_000;
/// The most rows of a result without its series.
pub const MAX_LIMIT_WITHOUT_SERIES: usize = 10_000;
/// How many rows a result has when nobody says.
pub const DEFAULT_LIMIT: usize = 100;

#[cfg(test)]
mod tests;
