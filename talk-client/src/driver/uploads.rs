//! The sources of uploads.

use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{self, StreamExt};
use http::{Request, Response};
use talk_proto::{HttpFailure, RequestId};

use crate::handle::{Answer, Ticket};
use crate::net::{Connector, HttpError, RequestBody, ResponseBody};
use crate::runtime::Runtime;
use crate::upload::metadata::{Kind, UploadMetadata};
use crate::upload::progress::{Meter, Turn};
use crate::upload::source::{Opened, UploadSource};

/// How much longer a server may think about a whole file than it may take nothing of one.
const THINKING: u32 = 5;
/// How often in the time that a server has it is looked at.
const LOOKS: u32 = 4;

/// Sources that are being opened, and those that the core's uploads are sent from.
pub(super) struct Uploads {
    /// How long a server may take nothing.
    pub(super) patience: Duration,
    opening: BTreeMap<Ticket, Opening>,
    sources: BTreeMap<RequestId, Source>,
}

struct Opening {
    future: BoxFuture<'static, io::Result<Opened>>,
    wanted: Wanted,
}

/// An upload that the core does not know yet.
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) metadata: UploadMetadata,
    pub(super) meter: Arc<Meter>,
    pub(super) answer: Answer,
}

struct Source {
    opened: Opened,
    meter: Arc<Meter>,
}

impl Uploads {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            patience,
            opening: BTreeMap::new(),
            sources: BTreeMap::new(),
        }
    }

    /// Finds out how long the source is.
    pub(super) fn open<R: Runtime>(
        &mut self,
        runtime: &R,
        ticket: Ticket,
        source: UploadSource,
        wanted: Wanted,
    ) {
        let runtime = runtime.clone();
        let future = Box::pin(async move { source.open(&runtime).await });
        self.opening.insert(ticket, Opening { future, wanted });
    }

    /// The next source that could be opened, or not.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<(Ticket, Wanted, io::Result<Opened>)> {
        let mut opening = self.opening.iter_mut();
        let opened = opening.find_map(|(ticket, opening)| match opening.future.as_mut().poll(cx) {
            Poll::Ready(opened) => Some((*ticket, opened)),
            Poll::Pending => None,
        });
        match opened {
            Some((ticket, opened)) => match self.opening.remove(&ticket) {
                Some(opening) => Poll::Ready((ticket, opening.wanted, opened)),
                None => Poll::Pending,
            },
            None => Poll::Pending,
        }
    }

    /// Nobody waits for it any more, if it is not open yet.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        self.opening.remove(&ticket);
    }

    /// The core has accepted an upload.
    pub(super) fn insert(&mut self, request: RequestId, opened: Opened, meter: Arc<Meter>) {
        self.sources.insert(request, Source { opened, meter });
    }

    /// The core is done with an upload, if `request` is one.
    pub(super) fn resolve(&mut self, request: RequestId) {
        self.sources.remove(&request);
    }

    /// The body of an upload's form, around the source from its start.
    pub(super) fn body<R: Runtime>(
        &mut self,
        runtime: &R,
        request: RequestId,
        preamble: Bytes,
        epilogue: Bytes,
    ) -> Result<(RequestBody, Arc<Meter>), HttpFailure> {
        let failed = |reason: &dyn ToString| HttpFailure::Source(reason.to_string());
        let source = self.sources.get_mut(&request);
        let source = source.ok_or_else(|| failed(&"there is no source for this upload"))?;
        let chunks = source.opened.chunks(runtime).map_err(|e| failed(&e))?;
        let file = source.opened.length();
        let around = preamble.len() as u64 + epilogue.len() as u64;
        source
            .meter
            .begin(preamble.len() as u64, file, epilogue.len() as u64);
        let whole = stream::iter([Ok(preamble)])
            .chain(chunks)
            .chain(stream::iter([Ok(epilogue)]));
        let body = RequestBody::from_stream(file + around, whole);
        let meter = Arc::clone(&source.meter);
        Ok((body.metered(Arc::clone(&meter) as _), meter))
    }
}

/// Sends an upload and waits for the head of the answer. A server that takes nothing of it for
/// `patience` has failed; a source may be silent as long as it likes.
pub(super) async fn send<R: Runtime>(
    connector: Connector<R>,
    runtime: R,
    request: Request<RequestBody>,
    meter: Arc<Meter>,
    patience: Duration,
) -> Result<Response<ResponseBody>, HttpFailure> {
    let exchange = pin!(connector.request(request));
    match select(exchange, pin!(stalled(&runtime, &meter, patience))).await {
        Either::Left((Ok(response), _)) => Ok(response),
        Either::Left((Err(HttpError::Source(source)), _)) => {
            Err(HttpFailure::Source(source.to_string()))
        }
        Either::Left((Err(error), _)) => Err(match meter.taken().turn {
            Turn::Answer => HttpFailure::Unanswered(error.to_string()),
            Turn::Source | Turn::Server => HttpFailure::Network(error.to_string()),
        }),
        Either::Right((failure, _)) => Err(failure),
    }
}

/// Resolves when the server has not done what it has to do for too long.
async fn stalled<R: Runtime>(runtime: &R, meter: &Meter, patience: Duration) -> HttpFailure {
    let mut before = meter.taken();
    let mut quiet = 0;
    loop {
        runtime.sleep(patience / LOOKS).await;
        let now = meter.taken();
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
        match now.turn {
            Turn::Server if quiet >= LOOKS => return HttpFailure::Stalled { after: patience },
            Turn::Answer if quiet >= LOOKS * THINKING => {
                let reason = format!("nothing was heard for {:?}", patience * THINKING);
                return HttpFailure::Unanswered(reason);
            }
            Turn::Source | Turn::Server | Turn::Answer => {}
        }
    }
}
