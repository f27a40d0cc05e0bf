//! The tests of the core.

mod cache;
mod complaints;
mod connection;
mod content_json;
mod filters;
mod inbox;
mod invariants;
mod markup_vectors;
mod outbox;
mod properties;
mod search;
mod snapshot_shapes;
mod support;
mod token;
mod uploads;
mod values;
mod vectors;
