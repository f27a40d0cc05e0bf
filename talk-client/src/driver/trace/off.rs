//! The trace of a build without the feature `tracing`: it records nothing.

use talk_proto::{Input, Output, Reply, RequestError, RequestId, Secret, Timestamp};

use crate::registry::sessions::SessionKey;

/// Placeholder of the session's trace.
pub(in crate::driver) struct Trace;

/// Placeholder of an entered span.
pub(in crate::driver) struct Entered;

impl Trace {
    pub(in crate::driver) fn new(_: &SessionKey) -> Self {
        Self
    }

    pub(in crate::driver) fn enter(&self) -> Entered {
        Entered
    }

    pub(in crate::driver) fn input(&self, _: &Input<'_>) {}

    pub(in crate::driver) fn output(&self, _: &Output) {}

    pub(in crate::driver) fn token(&self, _: Timestamp, _: &SessionKey, _: &Secret) {}

    pub(in crate::driver) fn call(&mut self, _: RequestId, _: &'static str) {}

    pub(in crate::driver) fn resolved(&mut self, _: RequestId, _: &Result<Reply, RequestError>) {}
}
