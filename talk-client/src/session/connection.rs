//! The connection state as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use event_listener::EventListener;
use futures_util::stream::Stream;
use talk_proto::ConnectionState;

use crate::handle::Shared;
use crate::sync::Newer;

/// The stream of the states of a session's connection, created by
/// [`Session::connection_states`](crate::Session::connection_states).
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// use futures_util::StreamExt;
///
/// let mut states = session.connection_states();
/// println!("{:?}", states.next().await);
/// # Ok(())
/// # }
/// ```
pub struct ConnectionStateStream {
    shared: Arc<Shared>,
    seen: u64,
    changed: Option<EventListener>,
}

impl ConnectionStateStream {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            seen: 0,
            changed: None,
        }
    }
}

impl Stream for ConnectionStateStream {
    type Item = ConnectionState;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnectionState>> {
        loop {
            match self.shared.connection.newer(self.seen) {
                Newer::Value(state, version) => {
                    self.seen = version;
                    self.changed = None;
                    return Poll::Ready(Some(state));
                }
                Newer::Closed => return Poll::Ready(None),
                Newer::Unchanged => {}
            }
            match &mut self.changed {
                // Checked again after the listener is registered.
                None => self.changed = Some(self.shared.connection.listen()),
                Some(changed) => {
                    ready!(Pin::new(changed).poll(cx));
                    self.changed = None;
                }
            }
        }
    }
}

impl fmt::Debug for ConnectionStateStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionStateStream")
            .finish_non_exhaustive()
    }
}
