//! Error handlers that can be detached.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::handle::Shared;

/// An attached error handler, created by [`Session::on_error`](crate::Session::on_error). Dropping
/// the value leaves the handler attached.
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// let handler = session.on_error(|error| eprintln!("the chat has ended: {error}"));
/// handler.unsubscribe();
/// # Ok(())
/// # }
/// ```
pub struct ErrorSubscription {
    shared: Weak<Shared>,
    key: Option<u64>,
}

impl ErrorSubscription {
    pub(crate) fn new(shared: &Arc<Shared>, key: Option<u64>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            key,
        }
    }

    /// Detaches the handler. No later call is made, but a call in progress is not interrupted.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let handler = session.on_error(|_| unreachable!("the handler is detached"));
    /// handler.unsubscribe();
    /// # Ok(())
    /// # }
    /// ```
    pub fn unsubscribe(self) {
        if let (Some(shared), Some(key)) = (self.shared.upgrade(), self.key) {
            shared.termination.detach(key);
        }
    }
}

impl fmt::Debug for ErrorSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorSubscription").finish_non_exhaustive()
    }
}
