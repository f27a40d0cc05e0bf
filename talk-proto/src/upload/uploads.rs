//! The uploads of a session.

use std::collections::BTreeMap;

use fastrand::Rng;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::file::Upload;
use super::multipart::Form;
use crate::collections::ReleaseMemory;
use crate::command::{Reply, RequestId};
use crate::connection::Reconnect;
use crate::error::{RequestError, TransportError};
use crate::http::request::HttpResponse;
use crate::io::{HttpBody, HttpFailure};
use crate::outbox::FileSource;
use crate::timestamp::Timestamp;
use crate::wire::StatusClass;

/// The number of attempts after which an upload fails.
const MAX_ATTEMPTS: u32 = 5;

/// The uploads of a session that are not resolved.
#[derive(Default)]
pub(crate) struct Uploads {
    runs: BTreeMap<RequestId, Run>,
}

struct Run {
    upload: Upload,
    entry: Option<EntryFile>,
    /// Set while the driver checks that the file is unchanged.
    is_checking: bool,
    /// Set once the server accepted the name and size of the file.
    is_accepted: bool,
    attempts: u32,
    backoff: Reconnect,
}

/// The file of an entry of the outbox.
#[derive(Clone)]
pub(crate) struct EntryFile {
    /// The sequence number of the entry.
    pub(crate) seq: u64,
    pub(crate) source: FileSource,
}

/// The caller of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uploader {
    User,
    /// The entry of the outbox with this sequence number.
    Entry(u64),
}

/// The next step of an upload after a response.
pub(crate) enum UploadStep {
    Retry(Timestamp),
    Done(Uploader, Result<Reply, RequestError>),
}

impl Run {
    fn uploader(&self) -> Uploader {
        match &self.entry {
            Some(file) => Uploader::Entry(file.seq),
            None => Uploader::User,
        }
    }
}

impl Uploads {
    /// Returns the number of uploads of the user that the server has accepted.
    pub(crate) fn pending(&self) -> usize {
        let runs = self.runs.values();
        runs.filter(|run| run.is_accepted && run.entry.is_none())
            .count()
    }

    /// Adds an upload. The driver checks the file of an entry, and the server validates every
    /// file.
    pub(crate) fn insert(&mut self, request: RequestId, upload: Upload, entry: Option<EntryFile>) {
        let run = Run {
            upload,
            is_checking: entry.is_some(),
            entry,
            is_accepted: false,
            attempts: 0,
            backoff: Reconnect::default(),
        };
        self.runs.insert(request, run);
    }

    /// Ends the check of a file, and returns the file to validate. Returns `None` if no check is
    /// pending.
    pub(crate) fn end_check(&mut self, request: RequestId) -> Option<&Upload> {
        let run = self.runs.get_mut(&request)?;
        std::mem::take(&mut run.is_checking).then_some(&run.upload)
    }

    /// Marks an upload as accepted, and returns the file to send.
    pub(crate) fn accept(&mut self, request: RequestId) -> Option<&Upload> {
        let run = self.runs.get_mut(&request)?;
        run.is_accepted = true;
        Some(&run.upload)
    }

    /// Builds the request that sends a file. `base` is the REST base of the app.
    pub(crate) fn file_request(
        &mut self,
        request: RequestId,
        base: &str,
        rng: &mut Rng,
    ) -> Option<http::Result<http::Request<HttpBody>>> {
        let run = self.runs.get_mut(&request)?;
        run.attempts += 1;
        let form = Form::new(&run.upload, rng);
        let body = HttpBody::Upload {
            request,
            source: run.entry.as_ref().map(|file| file.source.clone()),
            preamble: form.preamble,
            length: run.upload.size,
            epilogue: form.epilogue,
        };
        let builder = http::Request::post(format!("{base}/files"));
        Some(builder.header(CONTENT_TYPE, form.content_type).body(body))
    }

    /// Handles the response to a file. Removes the upload if it is resolved.
    pub(crate) fn handle_response(
        &mut self,
        now: Timestamp,
        request: RequestId,
        response: &HttpResponse,
        rng: &mut Rng,
    ) -> Option<UploadStep> {
        let run = self.runs.get_mut(&request)?;
        let result = match outcome(response) {
            // The outbox has its own delays.
            Outcome::Transient(_)
                if run.upload.can_rewind && run.attempts < MAX_ATTEMPTS && run.entry.is_none() =>
            {
                let at = now + run.backoff.next_delay(rng);
                return Some(UploadStep::Retry(at));
            }
            Outcome::Transient(mut error) | Outcome::Failed(mut error) => {
                if let RequestError::Server(refused) = &mut error {
                    refused.mask_text(&run.upload.filename);
                    refused.set_not_idempotent();
                }
                Err(error)
            }
            Outcome::Done(reply) => Ok(reply),
        };
        let uploader = run.uploader();
        self.runs.remove(&request);
        Some(UploadStep::Done(uploader, result))
    }

    /// Removes an upload. Returns its caller, and `true` if a byte of the file may have been sent.
    /// Returns `None` if there is no such upload.
    pub(crate) fn remove(&mut self, request: RequestId) -> Option<(Uploader, bool)> {
        let run = self.runs.remove(&request)?;
        Some((run.uploader(), run.attempts > 0))
    }

    /// Removes all uploads. Returns the requests of the accepted ones of the user.
    pub(crate) fn remove_all(&mut self) -> impl Iterator<Item = RequestId> + use<> {
        let runs = std::mem::take(&mut self.runs).into_iter();
        runs.filter_map(|(request, run)| {
            (run.is_accepted && run.entry.is_none()).then_some(request)
        })
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.runs.release_memory();
    }
}

enum Outcome {
    Done(Reply),
    /// The upload failed, but the file can be sent again.
    Transient(RequestError),
    Failed(RequestError),
}

/// Classifies a response. A file that the server may have stored is not sent again, because the
/// protocol cannot mark two uploads as the same one.
fn outcome(response: &HttpResponse) -> Outcome {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        file_token: String,
    }

    let class = response.status.map(StatusClass::of);
    let refusal = || response.refusal(response.status.unwrap_or(0)).into();
    let lost = |reason: &String| TransportError::AnswerLost(reason.clone()).into();
    match (&response.failure, class) {
        // A server may refuse a file before it has received all of it.
        (_, Some(StatusClass::Refused | StatusClass::Unauthenticated)) => {
            Outcome::Failed(refusal())
        }
        (None, Some(StatusClass::Busy | StatusClass::Failed)) => Outcome::Transient(refusal()),
        (None, Some(StatusClass::Done)) => match serde_json::from_slice::<Body>(&response.body) {
            Ok(body) => Outcome::Done(Reply::Uploaded {
                file_token: body.file_token.into(),
            }),
            Err(_) => Outcome::Failed(TransportError::Malformed.into()),
        },
        (None, None) => Outcome::Failed(TransportError::Malformed.into()),
        (Some(HttpFailure::Network(reason)), Some(StatusClass::Done))
        | (Some(HttpFailure::Unanswered(reason)), _) => Outcome::Failed(lost(reason)),
        (Some(HttpFailure::Network(reason)), _) => {
            Outcome::Transient(TransportError::Http(reason.clone()).into())
        }
        (Some(HttpFailure::Stalled { after }), _) => {
            let stalled = TransportError::Deadline {
                after: *after,
                maybe_happened: false,
                idempotent: false,
                last_failure: None,
            };
            Outcome::Transient(stalled.into())
        }
        (Some(HttpFailure::Source(reason)), _) => {
            Outcome::Failed(TransportError::Source(reason.clone()).into())
        }
    }
}
