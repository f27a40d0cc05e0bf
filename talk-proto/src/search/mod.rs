//! Searches over HTTP. Results become visible as they arrive.

mod paged;
pub(crate) mod results;
pub(crate) mod searches;
mod stream;

pub use results::{MessageHit, SearchId, SearchKind, SearchResults, SearchStatus};
