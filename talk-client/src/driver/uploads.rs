//! The sources of uploads.

use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use http::{Request, Response};
use talk_proto::outbox::FileSource;
use talk_proto::{HttpFailure, Input, RequestId};

use crate::handle::{LocalId, ReplySender};
use crate::transport::{BoxFuture, HttpError, RequestBody, ResponseBody, Transport};
use crate::upload::metadata::{MediaKind, UploadMetadata};
use crate::upload::progress::{ProgressCounter, WaitingFor};
use crate::upload::queued::QueuedFile;
use crate::upload::source::{OpenSource, UploadSource};

/// A server has this many stall time-outs to respond to a complete file.
const RESPONSE_TIMEOUT_FACTOR: u32 = 5;
/// The number of checks in one stall time-out.
const POLLS_PER_TIMEOUT: u32 = 4;

/// The sources that are being opened, and the open sources of the core's uploads.
pub(super) struct Uploads {
    /// An upload fails if the server accepts no data for this long.
    pub(super) stall_timeout: Duration,
    opening: BTreeMap<LocalId, Opening>,
    sources: BTreeMap<RequestId, Source>,
    /// The checks of files in the outbox.
    checks: BTreeMap<RequestId, BoxFuture<'static, io::Result<()>>>,
}

struct Opening {
    future: BoxFuture<'static, io::Result<OpenSource>>,
    pending: PendingUpload,
}

/// An upload before the core has accepted it.
pub(super) struct PendingUpload {
    pub(super) kind: MediaKind,
    pub(super) metadata: UploadMetadata,
    pub(super) progress: Arc<ProgressCounter>,
    pub(super) reply: ReplySender,
}

/// The parts of a form around a file of `length` bytes.
pub(super) struct FormParts {
    pub(super) preamble: Bytes,
    pub(super) length: u64,
    pub(super) epilogue: Bytes,
}

struct Source {
    opened: OpenSource,
    progress: Arc<ProgressCounter>,
}

impl Uploads {
    pub(super) fn new(stall_timeout: Duration) -> Self {
        Self {
            stall_timeout,
            opening: BTreeMap::new(),
            sources: BTreeMap::new(),
            checks: BTreeMap::new(),
        }
    }

    /// Opens the source to determine its length.
    pub(super) fn open<T: Transport>(
        &mut self,
        transport: &T,
        local_id: LocalId,
        source: UploadSource,
        pending: PendingUpload,
    ) {
        let transport = transport.clone();
        let future = Box::pin(async move { source.open(&transport).await });
        self.opening.insert(local_id, Opening { future, pending });
    }

    /// Returns the next source that was opened or failed to open.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<(LocalId, PendingUpload, io::Result<OpenSource>)> {
        let mut opening = self.opening.iter_mut();
        let opened =
            opening.find_map(
                |(local_id, opening)| match opening.future.as_mut().poll(cx) {
                    Poll::Ready(opened) => Some((*local_id, opened)),
                    Poll::Pending => None,
                },
            );
        match opened {
            Some((local_id, opened)) => match self.opening.remove(&local_id) {
                Some(opening) => Poll::Ready((local_id, opening.pending, opened)),
                None => Poll::Pending,
            },
            None => Poll::Pending,
        }
    }

    /// Stops opening a source whose upload was dropped.
    pub(super) fn cancel(&mut self, local_id: LocalId) {
        self.opening.remove(&local_id);
    }

    /// Keeps the source of an upload that the core has accepted.
    pub(super) fn insert(
        &mut self,
        request: RequestId,
        opened: OpenSource,
        progress: Arc<ProgressCounter>,
    ) {
        self.sources.insert(request, Source { opened, progress });
    }

    /// Drops the source of a resolved upload, if `request` is one.
    pub(super) fn resolve(&mut self, request: RequestId) {
        self.sources.remove(&request);
    }

    /// Checks that a file is as it was when its message was queued.
    pub(super) fn check<T: Transport>(
        &mut self,
        transport: &T,
        request: RequestId,
        file: QueuedFile,
    ) {
        let check = Box::pin(file.check(transport.clone()));
        self.checks.insert(request, check);
    }

    /// Returns the result of the next check that is complete.
    pub(super) fn poll_check(&mut self, cx: &mut Context<'_>) -> Poll<Input<'static>> {
        let mut checks = self.checks.iter_mut();
        let checked = checks.find_map(|(request, check)| match check.as_mut().poll(cx) {
            Poll::Ready(result) => Some((*request, result)),
            Poll::Pending => None,
        });
        let Some((request, result)) = checked else {
            return Poll::Pending;
        };
        self.checks.remove(&request);
        let result = match result {
            Err(error) if QueuedFile::is_gone(&error) => Err(error.to_string()),
            // The upload reports another error, and is repeated later.
            Ok(()) | Err(_) => Ok(()),
        };
        Poll::Ready(Input::FileChecked { request, result })
    }

    /// Returns the form body of an upload, with the source from its start.
    pub(super) fn body<T: Transport>(
        &mut self,
        transport: &T,
        request: RequestId,
        queued: Option<FileSource>,
        form: FormParts,
    ) -> Result<(RequestBody, Arc<ProgressCounter>), HttpFailure> {
        let failed = |reason: &dyn ToString| HttpFailure::Source(reason.to_string());
        let FormParts {
            preamble,
            length,
            epilogue,
        } = form;
        let mut of_queue = queued.map(|source| Source {
            opened: QueuedFile::source(source, length),
            progress: Arc::new(ProgressCounter::new()),
        });
        let source = match &mut of_queue {
            Some(source) => Some(source),
            None => self.sources.get_mut(&request),
        };
        let source = source.ok_or_else(|| failed(&"there is no source for this upload"))?;
        let chunks = source.opened.chunks(transport).map_err(|e| failed(&e))?;
        let file = source.opened.length();
        let around = preamble.len() as u64 + epilogue.len() as u64;
        source
            .progress
            .begin(preamble.len() as u64, file, epilogue.len() as u64);
        let whole = stream::iter([Ok(preamble)])
            .chain(chunks)
            .chain(stream::iter([Ok(epilogue)]));
        let body = RequestBody::from_stream(file + around, whole);
        let progress = Arc::clone(&source.progress);
        Ok((body.with_progress(Arc::clone(&progress)), progress))
    }
}

/// Sends an upload and returns the head of the response. It fails if the server accepts no data for
/// `stall_timeout`. The source has no time limit. For a file of the outbox, a transient error
/// of the source counts as one of the network, so that the upload is repeated.
pub(super) async fn send<T: Transport>(
    transport: T,
    request: Request<RequestBody>,
    progress: Arc<ProgressCounter>,
    stall_timeout: Duration,
    is_queued: bool,
) -> Result<Response<ResponseBody>, HttpFailure> {
    let response = transport.http(request);
    let stalled = pin!(stalled(&transport, &progress, stall_timeout));
    match select(response, stalled).await {
        Either::Left((Ok(response), _)) => Ok(response),
        Either::Left((Err(HttpError::Source(source)), _)) => {
            let is_transient = is_queued && !QueuedFile::is_gone(&source);
            let reason = source.to_string();
            Err(match is_transient {
                true => HttpFailure::Network(reason),
                false => HttpFailure::Source(reason),
            })
        }
        Either::Left((Err(error), _)) => Err(match progress.status().waiting_for {
            WaitingFor::Response => HttpFailure::Unanswered(error.to_string()),
            WaitingFor::Source | WaitingFor::Server => HttpFailure::Network(error.to_string()),
        }),
        Either::Right((failure, _)) => Err(failure),
    }
}

/// Resolves when the server has exceeded its time-out.
async fn stalled<T: Transport>(
    transport: &T,
    progress: &ProgressCounter,
    stall_timeout: Duration,
) -> HttpFailure {
    let mut last = progress.status();
    let mut unchanged = 0;
    loop {
        transport.sleep(stall_timeout / POLLS_PER_TIMEOUT).await;
        let current = progress.status();
        unchanged = if current == last { unchanged + 1 } else { 0 };
        last = current;
        match current.waiting_for {
            WaitingFor::Server if unchanged >= POLLS_PER_TIMEOUT => {
                return HttpFailure::Stalled {
                    after: stall_timeout,
                };
            }
            WaitingFor::Response if unchanged >= POLLS_PER_TIMEOUT * RESPONSE_TIMEOUT_FACTOR => {
                let reason = format!(
                    "nothing was heard for {:?}",
                    stall_timeout * RESPONSE_TIMEOUT_FACTOR
                );
                return HttpFailure::Unanswered(reason);
            }
            WaitingFor::Source | WaitingFor::Server | WaitingFor::Response => {}
        }
    }
}
