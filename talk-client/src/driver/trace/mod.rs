//! Events and spans for `tracing`. Without the feature of that name there are none.
//!
//! They hold kinds, sizes, statuses and IDs. They never hold message texts, tokens, signatures,
//! search words, or a server's error text, which may quote the request.

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

#[cfg(not(feature = "tracing"))]
pub(super) use off::Trace;
#[cfg(feature = "tracing")]
pub(super) use on::Trace;
