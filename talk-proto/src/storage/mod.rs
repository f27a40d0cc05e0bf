//! Durable records: the interface between a session and a store.
//!
//! A session that [`Session::restore`](crate::Session::restore) creates has a store. The driver
//! loads all records of the app and user before, performs each
//! [`Output::Store`](crate::Output::Store) as one atomic and durable write, and answers with
//! [`Input::Stored`](crate::Input::Stored) or [`Input::StoreFailed`](crate::Input::StoreFailed).
//! Keys and values are opaque to the store.

mod error;
mod journal;
mod record;
pub(crate) mod versioned;
mod writer;

pub use error::StoreError;
pub(crate) use journal::{Changes, Journal};
pub use record::{BatchId, Change, Record, StorageEvent};
pub(crate) use writer::StoreWriter;
