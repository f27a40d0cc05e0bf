//! Lines of output.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use serde::Serialize;
use serde_json::value::RawValue;
use talk_tokio::outbox::Settled;
use talk_tokio::{Freshness, SearchStatus};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, mpsc};

use super::connection_line::ConnectionLine;
use crate::failure::Failure;
use crate::terminal::sanitize;

/// The maximum number of bytes of lines that may wait for the reader of the output. A larger line
/// waits alone. Above this limit, no lines are serialised and no calls are started.
const MAX_QUEUED_BYTES: u32 = 4 << 20;

/// The answer to a call: JSON or an error.
pub(crate) type Answer = Result<Box<RawValue>, Failure>;

/// A line, and its share of [`MAX_QUEUED_BYTES`] until it is written.
type QueuedLine = (String, OwnedSemaphorePermit);

/// The queue of output lines. Clones write to the same output.
#[derive(Clone)]
pub(crate) struct Output {
    lines: mpsc::UnboundedSender<QueuedLine>,
    room: Arc<Semaphore>,
    turn: Arc<Mutex<()>>,
}

/// `{"subscription": N, "snapshot": VALUE, "loadedAll"?: BOOL, "gap"?: true, "pending"?: [ENTRY],
/// "settled"?: [[ENTRY, MESSAGE]], "freshness"?: {"cached": MS}}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SnapshotLine {
    pub(crate) subscription: u64,
    pub(crate) snapshot: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) loaded_all: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gap: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) settled: Vec<Settled>,
    /// The source of a cached snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) freshness: Option<Freshness>,
}

/// The part of a line that differs from the line before.
pub(crate) type Content = (String, Option<bool>, Option<String>, Option<Freshness>);

impl SnapshotLine {
    /// Returns the part that differs from the line before.
    pub(crate) fn content(&self) -> Content {
        let pending = self.pending.as_ref().map(|json| json.get().to_owned());
        let snapshot = self.snapshot.get().to_owned();
        (snapshot, self.loaded_all, pending, self.freshness)
    }
}

/// The right to serialise and queue the next line. There is one at a time, so that a line is
/// serialised only when there is room for it.
pub(crate) struct Turn(#[expect(dead_code, reason = "held until dropped")] OwnedMutexGuard<()>);

impl Output {
    /// Writes lines to `sink` on a thread, each followed by a flush, until the last `Output` is
    /// dropped or the reader has closed the output.
    pub(crate) fn start(
        mut sink: impl Write + Send + 'static,
    ) -> io::Result<(Self, JoinHandle<io::Result<()>>)> {
        let (sender, mut lines) = mpsc::unbounded_channel::<QueuedLine>();
        let writer = thread::Builder::new().spawn(move || {
            while let Some((mut line, _room)) = lines.blocking_recv() {
                line.push('\n');
                sink.write_all(line.as_bytes())?;
                sink.flush()?;
            }
            Ok(())
        })?;
        let output = Self {
            lines: sender,
            room: Arc::new(Semaphore::new(MAX_QUEUED_BYTES as usize)),
            turn: Arc::default(),
        };
        Ok((output, writer))
    }

    /// Completes when the reader of the output has gone.
    pub(crate) async fn closed(&self) {
        self.lines.closed().await;
    }

    /// Completes when there is room for a line.
    pub(crate) async fn has_room(&self) {
        // The semaphore is never closed.
        let _ = self.room.acquire().await;
    }

    /// Waits until a line may be serialised.
    pub(crate) async fn turn(&self) -> Turn {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        self.has_room().await;
        Turn(turn)
    }

    /// Writes `{"id": ID, "result": VALUE}` or `{"id": ID, "error": {…}}`.
    pub(crate) async fn answer(&self, id: &RawValue, answer: &Answer) {
        #[derive(Serialize)]
        struct Line<'a> {
            id: &'a RawValue,
            #[serde(skip_serializing_if = "Option::is_none")]
            result: Option<&'a RawValue>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a Failure>,
        }
        let (result, error) = match answer {
            Ok(result) => (Some(&**result), None),
            Err(error) => (None, Some(error)),
        };
        self.line(&Line { id, result, error }).await;
    }

    /// Writes the line of a snapshot.
    pub(crate) async fn snapshot(&self, turn: Turn, line: &SnapshotLine) {
        self.line_in(turn, line).await;
    }

    /// Writes `{"subscription": N, "ended": "unsubscribed"}`, or `"error"` with the error.
    pub(crate) async fn ended(&self, subscription: u64, error: Option<&Failure>) {
        #[derive(Serialize)]
        struct Line<'a> {
            subscription: u64,
            ended: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a Failure>,
        }
        let ended = match error {
            None => "unsubscribed",
            Some(_) => "error",
        };
        self.line(&Line {
            subscription,
            ended,
            error,
        })
        .await;
    }

    /// Writes `{"search": N, "results": […], "status": STATUS}`.
    pub(crate) async fn found(
        &self,
        turn: Turn,
        search: u64,
        results: &RawValue,
        status: SearchStatus,
    ) {
        #[derive(Serialize)]
        struct Line<'a> {
            search: u64,
            results: &'a RawValue,
            status: SearchStatus,
        }
        let line = Line {
            search,
            results,
            status,
        };
        self.line_in(turn, &line).await;
    }

    /// Writes `{"search": N, "error": {…}}`.
    pub(crate) async fn search_failed(&self, search: u64, error: &Failure) {
        #[derive(Serialize)]
        struct Line<'a> {
            search: u64,
            error: &'a Failure,
        }
        self.line(&Line { search, error }).await;
    }

    /// Writes `{"upload": ID, "sent": BYTES, "total": BYTES}`.
    pub(crate) async fn progress(&self, upload: &RawValue, sent: u64, total: u64) {
        #[derive(Serialize)]
        struct Line<'a> {
            upload: &'a RawValue,
            sent: u64,
            total: u64,
        }
        self.line(&Line {
            upload,
            sent,
            total,
        })
        .await;
    }

    /// Writes `{"session": STATE, "reason"?: TEXT, "retryAt"?: MS}`.
    pub(super) async fn connection(&self, line: &ConnectionLine) {
        self.line(line).await;
    }

    /// Writes `{"session": "error", "error": {…}}`.
    pub(crate) async fn session_ended(&self, error: &Failure) {
        #[derive(Serialize)]
        struct Line<'a> {
            session: &'static str,
            error: &'a Failure,
        }
        let session = "error";
        self.line(&Line { session, error }).await;
    }

    pub(super) async fn line(&self, line: &impl Serialize) {
        self.line_in(self.turn().await, line).await;
    }

    pub(super) async fn line_in(&self, _turn: Turn, line: &impl Serialize) {
        // Lines have string keys and plain values, so that serialisation cannot fail.
        if let Ok(line) = serde_json::to_string(line) {
            let line = sanitize::json(&line).into_owned();
            let bytes = u32::try_from(line.len()).unwrap_or(u32::MAX);
            let bytes = bytes.clamp(1, MAX_QUEUED_BYTES);
            if let Ok(room) = Arc::clone(&self.room).acquire_many_owned(bytes).await {
                // Without a reader, the session is about to stop.
                let _ = self.lines.send((line, room));
            }
        }
    }
}

/// Serialises a value to JSON.
pub(crate) fn json(value: &impl Serialize) -> Answer {
    serde_json::value::to_raw_value(value)
        .map_err(|error| Failure::usage(format!("the result is no JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A sink that writes one line per permission.
    struct SlowSink {
        permissions: Receiver<()>,
        written: Sender<usize>,
    }

    impl Write for SlowSink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permissions.recv().map_err(io::Error::other)?;
            let _ = self.written.send(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn output_stopped_reader_bounds_queued_bytes() {
        let (permit, permissions) = channel();
        let (written, writes) = channel();
        let (output, writer) = Output::start(SlowSink {
            permissions,
            written,
        })
        .unwrap();
        let piece = "x".repeat(1 << 20);
        let answer = json(&piece).unwrap();
        let id = RawValue::NULL;
        let mut tasks: Vec<_> = (0..20)
            .map(|_| {
                let (output, answer) = (output.clone(), answer.clone());
                tokio::spawn(async move { output.answer(id, &Ok(answer)).await })
            })
            .collect();
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        let queued = tasks.iter().filter(|task| task.is_finished()).count();
        assert!((1..=4).contains(&queued), "{queued}");

        // A line above the limit waits alone and is written.
        let large = json(&"x".repeat(5 << 20)).unwrap();
        tasks.push(tokio::spawn(async move {
            output.answer(id, &Ok(large)).await;
        }));
        (0..tasks.len()).for_each(|_| permit.send(()).unwrap());
        let count = tasks.len();
        for task in tasks {
            task.await.unwrap();
        }
        writer.join().unwrap().unwrap();
        assert_eq!(writes.iter().count(), count);
    }
}
