//! The progress of uploads, counted where the connection accepts the bytes.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use event_listener::EventListener;
use futures_util::stream::Stream;

use crate::sync::{Mutex, Newer, Watch, lock};

/// The maximum number of updates for one file.
const MAX_UPDATES: u64 = 200;
/// The minimum distance of two updates, in bytes.
const MIN_UPDATE_BYTES: u64 = 64 << 10;

/// The progress of an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadProgress {
    /// The number of bytes of the file that the connection has accepted. It returns to 0 when the
    /// file is sent again.
    pub sent: u64,
    /// The size of the file in bytes; 0 while it is unknown.
    pub total: u64,
}

/// Counts the bytes of an upload that a connection accepts. A transport reports to it, and the
/// session derives progress and stalls from it.
pub struct ProgressCounter {
    reported: Watch<UploadProgress>,
    attempt: Mutex<Attempt>,
}

#[derive(Default)]
struct Attempt {
    written: u64,
    /// The number of bytes before the file.
    overhead: u64,
    total: u64,
    /// The number of bytes after the file.
    epilogue: u64,
    reported: u64,
    is_blocked: bool,
}

/// The status of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptStatus {
    /// The number of bytes that the connection has accepted, of head and body.
    pub(crate) bytes: u64,
    /// The side that has to act.
    pub(crate) waiting_for: WaitingFor,
}

/// The side that has to act in an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitingFor {
    /// The source has to yield data.
    Source,
    /// The server has to accept data.
    Server,
    /// The server has all data and has to respond.
    Response,
}

impl ProgressCounter {
    pub(crate) fn new() -> Self {
        Self {
            reported: Watch::new(UploadProgress::default()),
            attempt: Mutex::default(),
        }
    }

    /// Starts an attempt: `preamble` bytes of the body precede the `total` bytes of the file, and
    /// `epilogue` bytes follow it.
    pub(crate) fn begin(&self, preamble: u64, total: u64, epilogue: u64) {
        *lock(&self.attempt) = Attempt {
            overhead: preamble,
            total,
            epilogue,
            ..Attempt::default()
        };
        self.reported.set(UploadProgress { sent: 0, total });
    }

    /// Ends the progress stream.
    pub(crate) fn end(&self) {
        self.reported.close();
    }

    /// Returns the status of this attempt.
    pub(crate) fn status(&self) -> AttemptStatus {
        let attempt = lock(&self.attempt);
        let bytes = attempt.written;
        let waiting_for = if bytes >= attempt.overhead + attempt.total + attempt.epilogue {
            WaitingFor::Response
        } else if attempt.is_blocked || bytes == 0 {
            // The connection is being opened until it accepts the first byte.
            WaitingFor::Server
        } else {
            WaitingFor::Source
        };
        AttemptStatus { bytes, waiting_for }
    }
}

impl Attempt {
    fn sent(&self) -> u64 {
        self.written.saturating_sub(self.overhead).min(self.total)
    }
}

impl ProgressCounter {
    /// Announces that `length` bytes of a request head precede the body.
    pub fn add_head(&self, length: u64) {
        lock(&self.attempt).overhead += length;
    }

    /// Reports that the connection accepted `bytes` more bytes, of the head first and then of the
    /// body.
    pub fn add_written(&self, bytes: u64) {
        let mut attempt = lock(&self.attempt);
        attempt.written += bytes;
        let (sent, total) = (attempt.sent(), attempt.total);
        let step = (total / MAX_UPDATES).max(MIN_UPDATE_BYTES);
        let is_due = sent >= attempt.reported + step || sent == total && sent > attempt.reported;
        if is_due {
            attempt.reported = sent;
            self.reported.set(UploadProgress { sent, total });
        }
    }

    /// Reports if the connection accepts no more bytes for now, although it has some to write.
    pub fn set_blocked(&self, is_blocked: bool) {
        lock(&self.attempt).is_blocked = is_blocked;
    }
}

impl fmt::Debug for ProgressCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProgressCounter")
            .field(&self.reported.get())
            .finish()
    }
}

/// The progress of an upload, created by [`UploadFuture::progress`](super::UploadFuture::progress).
///
/// A slow consumer gets the latest value. A large file causes about 200 items. The stream ends with
/// the upload.
pub struct UploadProgressStream {
    counter: Arc<ProgressCounter>,
    seen: u64,
    changed: Option<EventListener>,
}

impl UploadProgressStream {
    pub(super) fn new(counter: &Arc<ProgressCounter>) -> Self {
        Self {
            counter: Arc::clone(counter),
            seen: 0,
            changed: None,
        }
    }
}

impl Stream for UploadProgressStream {
    type Item = UploadProgress;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<UploadProgress>> {
        loop {
            match self.counter.reported.newer(self.seen) {
                Newer::Value(progress, version) => {
                    self.seen = version;
                    self.changed = None;
                    return Poll::Ready(Some(progress));
                }
                Newer::Closed => return Poll::Ready(None),
                Newer::Unchanged => {}
            }
            match &mut self.changed {
                // Checked again after the listener is registered.
                None => self.changed = Some(self.counter.reported.listen()),
                Some(changed) => {
                    ready!(Pin::new(changed).poll(cx));
                    self.changed = None;
                }
            }
        }
    }
}

impl fmt::Debug for UploadProgressStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadProgressStream")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(counter: &ProgressCounter) -> (u64, u64) {
        let progress = counter.reported.get();
        (progress.sent, progress.total)
    }

    #[test]
    fn progress_excludes_form_overhead() {
        let counter = ProgressCounter::new();
        counter.begin(10, 100, 50);
        counter.add_head(20);
        counter.add_written(30);
        assert_eq!(reported(&counter), (0, 100));
        counter.add_written(100);
        assert_eq!(reported(&counter), (100, 100));
        counter.add_written(50);
        assert_eq!(reported(&counter), (100, 100));
        assert_eq!(counter.status().bytes, 180);
    }

    #[test]
    fn status_reports_awaited_side() {
        let counter = ProgressCounter::new();
        counter.begin(10, 100, 5);
        assert_eq!(counter.status().waiting_for, WaitingFor::Server);
        counter.add_written(50);
        assert_eq!(counter.status().waiting_for, WaitingFor::Source);
        counter.set_blocked(true);
        assert_eq!(counter.status().waiting_for, WaitingFor::Server);
        counter.set_blocked(false);
        counter.add_written(64);
        assert_eq!(counter.status().waiting_for, WaitingFor::Source);
        counter.add_written(1);
        assert_eq!(counter.status().waiting_for, WaitingFor::Response);
    }

    #[test]
    fn progress_large_file_updates_are_bounded() {
        let counter = ProgressCounter::new();
        counter.begin(0, 1 << 30, 0);
        let Newer::Value(_, before) = counter.reported.newer(0) else {
            panic!("there is no progress");
        };
        for _ in 0..(1 << 14) {
            counter.add_written(1 << 16);
        }
        let Newer::Value(last, after) = counter.reported.newer(0) else {
            panic!("there is no progress");
        };
        assert_eq!(last.sent, 1 << 30);
        assert!(after - before <= MAX_UPDATES, "{}", after - before);
    }

    #[test]
    fn progress_second_attempt_restarts_at_zero() {
        let counter = ProgressCounter::new();
        counter.begin(0, 5, 0);
        counter.add_written(5);
        counter.begin(0, 5, 0);
        assert_eq!(reported(&counter), (0, 5));
        counter.add_written(5);
        assert_eq!(reported(&counter), (5, 5));
    }
}
