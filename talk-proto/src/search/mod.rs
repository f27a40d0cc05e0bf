//! Searches over HTTP. Results become visible as they arrive.

mod hits;
mod paged;
pub(crate) mod results;
pub(crate) mod searches;
mod stream;

pub use hits::Hits;
pub use results::{MessageHit, SearchId, SearchKind, SearchResults, SearchStatus};
