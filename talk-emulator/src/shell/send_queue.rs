use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc, oneshot};

/// The number of unsent bytes of a connection above which its requests are not read.
const MAX_UNSENT: usize = 16 * 1024 * 1024;

/// The number of unsent bytes of a connection above which an event fails the connection.
const MAX_UNSENT_EVENTS: usize = 64 * 1024 * 1024;

/// An action for a connection's writer.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Text(String),
    Close(u16),
}

/// The error for a connection that does not read fast enough.
#[derive(Debug)]
pub(crate) struct TooSlow;

/// The sending end of a connection's queue. Dropping it cuts the connection at once.
#[derive(Debug)]
pub(crate) struct SendQueue {
    /// Messages to be queued together, so that they are sent together.
    pending: Vec<Outgoing>,
    queue: mpsc::UnboundedSender<Vec<Outgoing>>,
    unsent: Arc<AtomicUsize>,
    _uncut: oneshot::Sender<Infallible>,
}

/// The receiving end of a connection's queue.
#[derive(Debug)]
pub(crate) struct SendQueueReader {
    queue: mpsc::UnboundedReceiver<Vec<Outgoing>>,
    unsent: Arc<AtomicUsize>,
    progress: Arc<Notify>,
}

/// The amount of unsent bytes of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Backlog {
    unsent: Arc<AtomicUsize>,
    progress: Arc<Notify>,
}

/// Resolves when the [`SendQueue`] is dropped.
#[derive(Debug)]
pub(crate) struct Disconnected(oneshot::Receiver<Infallible>);

pub(crate) fn send_queue() -> (SendQueue, SendQueueReader, Disconnected) {
    let (sender, queue) = mpsc::unbounded_channel();
    let (uncut, cut) = oneshot::channel();
    let unsent = Arc::new(AtomicUsize::new(0));
    let send_queue = SendQueue {
        pending: Vec::new(),
        queue: sender,
        unsent: Arc::clone(&unsent),
        _uncut: uncut,
    };
    (
        send_queue,
        SendQueueReader {
            queue,
            unsent,
            progress: Arc::default(),
        },
        Disconnected(cut),
    )
}

impl SendQueue {
    /// Adds a message to the pending ones. Returns `true` if it is the first since the last
    /// [`flush`](Self::flush).
    ///
    /// The number of answers is limited by the requests, which are not read while much is unsent.
    /// The number of events has no such limit, so a connection with too many unsent ones fails.
    pub(crate) fn push(&mut self, text: String) -> Result<bool, TooSlow> {
        if self.unsent.load(Ordering::Relaxed) > MAX_UNSENT_EVENTS && is_publish(&text) {
            return Err(TooSlow);
        }
        self.unsent.fetch_add(text.len(), Ordering::Relaxed);
        self.pending.push(Outgoing::Text(text));
        Ok(self.pending.len() == 1)
    }

    /// Queues the pending messages.
    pub(crate) fn flush(&mut self) {
        if !self.pending.is_empty() {
            // A closed connection reports its end itself.
            let _ = self.queue.send(std::mem::take(&mut self.pending));
        }
    }

    /// Queues a close frame after the pending messages.
    pub(crate) fn send_close(&mut self, code: u16) {
        self.pending.push(Outgoing::Close(code));
        self.flush();
    }
}

impl SendQueueReader {
    /// Waits for the next actions. Returns `None` once the [`SendQueue`] is dropped.
    pub(crate) async fn recv(&mut self) -> Option<Vec<Outgoing>> {
        self.queue.recv().await
    }

    /// Returns the next actions if there are any.
    pub(crate) fn try_recv(&mut self) -> Option<Vec<Outgoing>> {
        self.queue.try_recv().ok()
    }

    /// Notes that this number of bytes was sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.unsent.fetch_sub(bytes, Ordering::Relaxed);
        self.progress.notify_one();
    }

    pub(crate) fn backlog(&self) -> Backlog {
        Backlog {
            unsent: Arc::clone(&self.unsent),
            progress: Arc::clone(&self.progress),
        }
    }
}

impl Backlog {
    /// Returns `true` if anything is unsent.
    pub(crate) fn is_waiting(&self) -> bool {
        self.unsent.load(Ordering::Relaxed) > 0
    }

    /// Waits until requests may be read. Only one caller may wait at a time.
    pub(crate) async fn wait_below_limit(&self) {
        while self.unsent.load(Ordering::Relaxed) > MAX_UNSENT {
            self.progress.notified().await;
        }
    }
}

/// Returns `true` for a frame with events: `[n,"PUBLISH",…`.
fn is_publish(text: &str) -> bool {
    let rest = text.split_once(',').map_or("", |(_, rest)| rest);
    rest.starts_with("\"PUBLISH\"")
}

impl Disconnected {
    pub(crate) async fn wait(self) {
        // The sender never sends: the only result is an error, at the end.
        let _ = self.0.await;
    }
}
