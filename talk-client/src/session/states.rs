//! The states of a session's connection and store as streams.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use event_listener::EventListener;
use futures_util::stream::Stream;
use talk_proto::ConnectionState;

use crate::handle::Shared;
use crate::store::StoreState;
use crate::sync::{Newer, Watch};

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
pub struct ConnectionStateStream(WatchStream<ConnectionState>);

impl ConnectionStateStream {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(WatchStream::new(shared, |shared| &shared.connection))
    }
}

impl Stream for ConnectionStateStream {
    type Item = ConnectionState;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnectionState>> {
        self.0.poll_next(cx)
    }
}

impl fmt::Debug for ConnectionStateStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionStateStream")
            .finish_non_exhaustive()
    }
}

/// The stream of the states of a session's store, created by
/// [`Session::store_states`](crate::Session::store_states).
pub struct StoreStateStream(WatchStream<StoreState>);

impl StoreStateStream {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(WatchStream::new(shared, |shared| &shared.store))
    }
}

impl Stream for StoreStateStream {
    type Item = StoreState;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StoreState>> {
        self.0.poll_next(cx)
    }
}

impl fmt::Debug for StoreStateStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreStateStream").finish_non_exhaustive()
    }
}

/// The values of a watch of a session.
struct WatchStream<T> {
    shared: Arc<Shared>,
    watch: fn(&Shared) -> &Watch<T>,
    seen: u64,
    changed: Option<EventListener>,
}

impl<T: Clone> WatchStream<T> {
    fn new(shared: &Arc<Shared>, watch: fn(&Shared) -> &Watch<T>) -> Self {
        Self {
            shared: Arc::clone(shared),
            watch,
            seen: 0,
            changed: None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let watch = (self.watch)(&self.shared);
        loop {
            match watch.newer(self.seen) {
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
                None => self.changed = Some(watch.listen()),
                Some(changed) => {
                    ready!(Pin::new(changed).poll(cx));
                    self.changed = None;
                }
            }
        }
    }
}
