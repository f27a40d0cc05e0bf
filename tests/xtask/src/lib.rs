//! Checks of the source text that only tighten: import cycles and prose.
//!
//! Each check counts, and compares its counts with ceilings that are stored in `.ci/`. A count
//! above its ceiling fails. `--shrink` lowers the ceilings to the present counts.

mod ceilings;
pub mod cycles;
pub mod prose;
#[cfg(test)]
mod tests;
mod workspace;

pub use ceilings::{Ceilings, Report};
pub use workspace::{Package, Workspace};
