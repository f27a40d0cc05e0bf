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
use crate::upload::{Kind, Meter, Opened, UploadMetadata, UploadSource};

/// An upload of which the server takes nothing for this long has failed.
const MOVE_WITHIN: Duration = Duration::from_secs(60);

/// Sources that are being opened, and those that the core's uploads are sent from.
#[derive(Default)]
pub(super) struct Uploads {
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
        source.meter.begin(preamble.len() as u64, file);
        let whole = stream::iter([Ok(preamble)])
            .chain(chunks)
            .chain(stream::iter([Ok(epilogue)]));
        let body = RequestBody::from_stream(file + around, whole);
        let meter = Arc::clone(&source.meter);
        Ok((body.metered(Arc::clone(&meter) as _), meter))
    }
}

/// Sends an upload and waits for the head of the answer. A server that takes nothing of it for a
/// minute has failed.
pub(super) async fn send<R: Runtime>(
    connector: Connector<R>,
    runtime: R,
    request: Request<RequestBody>,
    meter: Arc<Meter>,
) -> Result<Response<ResponseBody>, HttpError> {
    let stalled = async {
        loop {
            let (before, _) = meter.written();
            runtime.sleep(MOVE_WITHIN).await;
            let (now, is_complete) = meter.written();
            if now == before && !is_complete {
                return;
            }
        }
    };
    match select(pin!(connector.request(request)), pin!(stalled)).await {
        Either::Left((response, _)) => response,
        Either::Right(((), _)) => {
            let reason = "nothing was taken for a minute";
            Err(HttpError::Interrupted(reason.into()))
        }
    }
}
