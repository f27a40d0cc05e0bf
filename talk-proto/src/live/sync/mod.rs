//! Subscriptions, loads and their requests.

pub(super) mod linger;
pub(super) mod paginator;
pub(super) mod requests;
pub(super) mod response;
pub(super) mod rest_queue;
pub(super) mod state;
