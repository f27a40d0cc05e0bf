use std::future::pending;
use std::io;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{once, unfold};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Duration, sleep};

use crate::server::{HttpFault, UploadFault};

/// The connection that a request came on.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionHandle {
    cut: Arc<Notify>,
}

impl ConnectionHandle {
    /// Resolves when the connection is to be cut.
    pub(crate) async fn cut(&self) {
        self.cut.notified().await;
    }

    /// Lets happen what is to happen before the answer; where there is to be none, this never ends.
    pub(crate) async fn apply_fault(&self, fault: Option<HttpFault>) {
        match fault {
            None | Some(HttpFault::Refuse { .. }) => {}
            Some(HttpFault::Slow(delay)) => sleep(Duration::from_millis(delay)).await,
            Some(HttpFault::Stall) => pending::<()>().await,
            Some(HttpFault::Drop) => {
                self.cut.notify_one();
                pending::<()>().await;
            }
        }
    }
}

/// The body of an upload to which something happens: it gives the bytes that come before, and what
/// happens next to whom it concerns.
pub(super) fn faulty_body(
    body: Body,
    fault: UploadFault,
    connection: ConnectionHandle,
) -> (Body, RefusedEarly) {
    let (refuse, refused) = oneshot::channel();
    let faulty_body = FaultyBody {
        body: body.into_data_stream(),
        held: Bytes::new(),
        left: fault.after_bytes,
        fault,
        connection,
        refuse: Some(refuse),
    };
    let body = Body::from_stream(unfold(faulty_body, FaultyBody::next));
    (body, RefusedEarly(refused))
}

/// Resolves when a refusal is to be the answer at once, with the rest of the body.
pub(super) struct RefusedEarly(oneshot::Receiver<BodyDataStream>);

struct FaultyBody {
    body: BodyDataStream,
    /// What came in and is not given on yet.
    held: Bytes,
    /// How many bytes are given on before it happens.
    left: u64,
    fault: UploadFault,
    connection: ConnectionHandle,
    refuse: Option<oneshot::Sender<BodyDataStream>>,
}

impl FaultyBody {
    async fn next(mut self) -> Option<(Result<Bytes, axum::Error>, Self)> {
        if self.held.is_empty() {
            match self.body.next().await? {
                Ok(chunk) => self.held = chunk,
                Err(error) => return Some((Err(error), self)),
            }
        }
        if self.left == 0 {
            self = self.apply().await;
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let chunk = self.held.split_to(room.min(self.held.len()));
        self.left -= chunk.len() as u64;
        Some((Ok(chunk), self))
    }

    async fn apply(mut self) -> Self {
        match self.fault.fault {
            HttpFault::Slow(delay) => {
                sleep(Duration::from_millis(delay)).await;
                self.left = match self.fault.after_bytes {
                    0 => u64::MAX,
                    every => every,
                };
                self
            }
            HttpFault::Refuse { .. } => {
                if let Some(refuse) = self.refuse.take() {
                    // Whoever waits for it takes everything from here.
                    let _ = refuse.send(self.body);
                }
                pending().await
            }
            fault => {
                self.connection.apply_fault(Some(fault)).await;
                pending().await
            }
        }
    }
}

impl RefusedEarly {
    /// The rest of the body, once the time has come.
    pub(super) async fn wait(self) -> BodyDataStream {
        match self.0.await {
            Ok(rest) => rest,
            // The body was shorter.
            Err(_) => pending().await,
        }
    }
}

/// Refuses an upload while it comes in: the client hears of it at once, and what it still sends is
/// read, since a connection that is closed with bytes unread may lose the answer.
pub(super) fn refuse_early(
    status: u16,
    code: &str,
    reason: &str,
    rest: Option<BodyDataStream>,
) -> Response {
    let body = json!({ "errorCode": code, "reasons": [reason] }).to_string();
    let body = once(async { Ok(Bytes::from(body)) });
    let rest = unfold(rest, |rest| async {
        let mut rest = rest?;
        while let Some(Ok(_)) = rest.next().await {}
        None::<(io::Result<Bytes>, _)>
    });
    let mut response = Response::new(Body::from_stream(body.chain(rest)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
