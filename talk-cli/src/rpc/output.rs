//! Lines of output.

use std::io::{self, Write};
use std::thread::{self, JoinHandle};

use serde::Serialize;
use serde_json::value::RawValue;
use talk_tokio::SearchStatus;
use tokio::sync::mpsc;

use super::failure::Failure;
use crate::terminal::sanitize;

/// How many lines may wait for whoever reads the output. Above it calls wait with their answers,
/// and subscriptions with their snapshots, of which only the latest counts.
const WAITING_LINES: usize = 64;

/// What a call is answered with: JSON, or an error.
pub(crate) type Answer = Result<Box<RawValue>, Failure>;

/// Where lines go. Clones write to the same output.
#[derive(Clone)]
pub(crate) struct Output(mpsc::Sender<String>);

impl Output {
    /// Writes lines to `sink` on a thread, each as a whole and flushed, until the last `Output` is
    /// dropped or nobody reads them any more.
    pub(crate) fn start(
        mut sink: impl Write + Send + 'static,
    ) -> io::Result<(Self, JoinHandle<io::Result<()>>)> {
        let (sender, mut lines) = mpsc::channel::<String>(WAITING_LINES);
        let writer = thread::Builder::new().spawn(move || {
            while let Some(mut line) = lines.blocking_recv() {
                line.push('\n');
                sink.write_all(line.as_bytes())?;
                sink.flush()?;
            }
            Ok(())
        })?;
        Ok((Self(sender), writer))
    }

    /// Done when nobody reads the output any more.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }

    /// `{"id": ID, "result": VALUE}` or `{"id": ID, "error": {…}}`.
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

    /// `{"subscription": N, "snapshot": VALUE, "loadedAll"?: BOOL}`.
    pub(crate) async fn snapshot(
        &self,
        subscription: u64,
        snapshot: &RawValue,
        loaded_all: Option<bool>,
    ) {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Line<'a> {
            subscription: u64,
            snapshot: &'a RawValue,
            #[serde(skip_serializing_if = "Option::is_none")]
            loaded_all: Option<bool>,
        }
        self.line(&Line {
            subscription,
            snapshot,
            loaded_all,
        })
        .await;
    }

    /// `{"subscription": N, "ended": "unsubscribed"}`, or `"error"` with the error.
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

    /// `{"search": N, "results": […], "status": STATUS}`.
    pub(crate) async fn found(&self, search: u64, results: &RawValue, status: SearchStatus) {
        #[derive(Serialize)]
        struct Line<'a> {
            search: u64,
            results: &'a RawValue,
            status: SearchStatus,
        }
        self.line(&Line {
            search,
            results,
            status,
        })
        .await;
    }

    /// `{"search": N, "error": {…}}`.
    pub(crate) async fn search_failed(&self, search: u64, error: &Failure) {
        #[derive(Serialize)]
        struct Line<'a> {
            search: u64,
            error: &'a Failure,
        }
        self.line(&Line { search, error }).await;
    }

    /// `{"upload": ID, "sent": BYTES, "total": BYTES}`.
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

    /// `{"session": STATE}`, with the error when it has ended.
    pub(crate) async fn session(&self, session: &'static str, error: Option<&Failure>) {
        #[derive(Serialize)]
        struct Line<'a> {
            session: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a Failure>,
        }
        self.line(&Line { session, error }).await;
    }

    async fn line(&self, line: &impl Serialize) {
        // Everything that is written has string keys and plain values: it always serialises.
        if let Ok(line) = serde_json::to_string(line) {
            // Nobody reads any more: the session is about to stop for that reason.
            let _ = self.0.send(sanitize::json(&line).into_owned()).await;
        }
    }
}

/// The value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Answer {
    serde_json::value::to_raw_value(value)
        .map_err(|error| Failure::usage(format!("the result is no JSON: {error}")))
}
