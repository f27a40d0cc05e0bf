//! How far an upload is, counted where the socket takes the bytes.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use event_listener::EventListener;
use futures_util::stream::Stream;

use crate::net::Written;
use crate::sync::{Mutex, Newer, Watch, lock};

/// Progress is told this often at most between the start and the end of a file.
const STEPS: u64 = 200;
/// It is not told for less than this, in bytes.
const SMALLEST_STEP: u64 = 64 << 10;

/// How far an upload is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadProgress {
    /// Bytes of the file that the connection has taken. It falls back to 0 when the file is sent
    /// again.
    pub sent: u64,
    /// The file's size in bytes; 0 while it is not known.
    pub total: u64,
}

/// What the socket tells the stream.
pub(crate) struct Meter {
    told: Watch<UploadProgress>,
    attempt: Mutex<Attempt>,
}

#[derive(Default)]
struct Attempt {
    written: u64,
    /// What goes before the file's first byte.
    overhead: u64,
    total: u64,
    /// What goes after the file's last byte.
    epilogue: u64,
    told: u64,
    is_blocked: bool,
}

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Bytes that the socket has taken, whatever they are.
    pub(crate) bytes: u64,
    /// Whose turn it is.
    pub(crate) turn: Turn,
}

/// Whose turn it is in an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The source has to give more.
    Source,
    /// The server has to take what there is.
    Server,
    /// The server may have everything, and has to answer.
    Answer,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            told: Watch::new(UploadProgress::default()),
            attempt: Mutex::default(),
        }
    }

    /// The file is sent, perhaps again: `preamble` bytes of the body come before its `total`, and
    /// `epilogue` bytes after.
    pub(crate) fn begin(&self, preamble: u64, total: u64, epilogue: u64) {
        *lock(&self.attempt) = Attempt {
            overhead: preamble,
            total,
            epilogue,
            ..Attempt::default()
        };
        self.told.set(UploadProgress { sent: 0, total });
    }

    /// Nothing more is sent.
    pub(crate) fn end(&self) {
        self.told.close();
    }

    /// How this attempt stands.
    pub(crate) fn taken(&self) -> Taken {
        let attempt = lock(&self.attempt);
        let bytes = attempt.written;
        let turn = if bytes >= attempt.overhead + attempt.total + attempt.epilogue {
            Turn::Answer
        } else if attempt.is_blocked || bytes == 0 {
            // With nothing taken, the connection is still being made.
            Turn::Server
        } else {
            Turn::Source
        };
        Taken { bytes, turn }
    }
}

impl Attempt {
    fn sent(&self) -> u64 {
        self.written.saturating_sub(self.overhead).min(self.total)
    }
}

impl Written for Meter {
    fn head(&self, length: u64) {
        lock(&self.attempt).overhead += length;
    }

    fn wrote(&self, bytes: u64) {
        let mut attempt = lock(&self.attempt);
        attempt.written += bytes;
        let (sent, total) = (attempt.sent(), attempt.total);
        let step = (total / STEPS).max(SMALLEST_STEP);
        let is_news = sent >= attempt.told + step || sent == total && sent > attempt.told;
        if is_news {
            attempt.told = sent;
            self.told.set(UploadProgress { sent, total });
        }
    }

    fn blocked(&self, is_blocked: bool) {
        lock(&self.attempt).is_blocked = is_blocked;
    }
}

/// The progress of an upload, made by [`Uploading::progress`](super::Uploading::progress).
///
/// Latest wins: who polls late gets the latest. There are some 200 items for a large file, and the
/// stream ends with the upload.
pub struct UploadProgressStream {
    meter: Arc<Meter>,
    seen: u64,
    changed: Option<EventListener>,
}

impl UploadProgressStream {
    pub(super) fn new(meter: &Arc<Meter>) -> Self {
        Self {
            meter: Arc::clone(meter),
            seen: 0,
            changed: None,
        }
    }
}

impl Stream for UploadProgressStream {
    type Item = UploadProgress;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<UploadProgress>> {
        loop {
            match self.meter.told.newer(self.seen) {
                Newer::Value(progress, version) => {
                    self.seen = version;
                    self.changed = None;
                    return Poll::Ready(Some(progress));
                }
                Newer::Closed => return Poll::Ready(None),
                Newer::Same => {}
            }
            match &mut self.changed {
                // Looked at once more with a listener in place.
                None => self.changed = Some(self.meter.told.listen()),
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

    fn told(meter: &Meter) -> (u64, u64) {
        let progress = meter.told.get();
        (progress.sent, progress.total)
    }

    #[test]
    fn what_stands_around_the_file_does_not_count() {
        let meter = Meter::new();
        meter.begin(10, 100, 50);
        meter.head(20);
        meter.wrote(30);
        assert_eq!(told(&meter), (0, 100));
        meter.wrote(100);
        assert_eq!(told(&meter), (100, 100));
        meter.wrote(50);
        assert_eq!(told(&meter), (100, 100));
        assert_eq!(meter.taken().bytes, 180);
    }

    #[test]
    fn it_is_known_whose_turn_it_is() {
        let meter = Meter::new();
        meter.begin(10, 100, 5);
        assert_eq!(meter.taken().turn, Turn::Server);
        meter.wrote(50);
        assert_eq!(meter.taken().turn, Turn::Source);
        meter.blocked(true);
        assert_eq!(meter.taken().turn, Turn::Server);
        meter.blocked(false);
        meter.wrote(64);
        assert_eq!(meter.taken().turn, Turn::Source);
        meter.wrote(1);
        assert_eq!(meter.taken().turn, Turn::Answer);
    }

    #[test]
    fn a_large_file_tells_some_two_hundred_times() {
        let meter = Meter::new();
        meter.begin(0, 1 << 30, 0);
        let Newer::Value(_, before) = meter.told.newer(0) else {
            panic!("there is no progress");
        };
        for _ in 0..(1 << 14) {
            meter.wrote(1 << 16);
        }
        let Newer::Value(last, after) = meter.told.newer(0) else {
            panic!("there is no progress");
        };
        assert_eq!(last.sent, 1 << 30);
        assert!(after - before <= STEPS, "{}", after - before);
    }

    #[test]
    fn another_attempt_begins_at_zero() {
        let meter = Meter::new();
        meter.begin(0, 5, 0);
        meter.wrote(5);
        meter.begin(0, 5, 0);
        assert_eq!(told(&meter), (0, 5));
        meter.wrote(5);
        assert_eq!(told(&meter), (5, 5));
    }
}
