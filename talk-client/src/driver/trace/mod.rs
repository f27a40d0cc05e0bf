//! What the driver tells `tracing`, which is nothing without the feature of that name.
//!
//! Never message texts, tokens, signatures, search words, nor a server's own words about a request,
//! which may quote it: kinds, sizes, statuses and IDs.

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

#[cfg(not(feature = "tracing"))]
pub(super) use off::Trace;
#[cfg(feature = "tracing")]
pub(super) use on::Trace;
