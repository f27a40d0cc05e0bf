use std::future::pending;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Duration, sleep};

use super::meter::Meter;
use crate::server::{HttpFault, UploadFault};

/// A handle to the TCP connection of a request.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionHandle {
    cut: Arc<Notify>,
    meter: Arc<Meter>,
    stall_timeout: Duration,
}

impl ConnectionHandle {
    pub(crate) fn new(meter: Arc<Meter>, stall_timeout: Duration) -> Self {
        Self {
            cut: Arc::default(),
            meter,
            stall_timeout,
        }
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Returns the time after which a connection without progress is cut.
    pub(crate) fn stall_timeout(&self) -> Duration {
        self.stall_timeout
    }

    /// Resolves when a fault cuts the connection.
    pub(crate) async fn cut(&self) {
        self.cut.notified().await;
    }

    /// Applies the effect of a fault before the response. Never returns if there is to be no
    /// response.
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

/// Wraps the body of an upload so that the fault applies after its number of bytes.
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

/// Resolves when the fault refuses the upload.
pub(super) struct RefusedEarly(oneshot::Receiver<()>);

struct FaultyBody {
    body: BodyDataStream,
    /// Bytes received but not passed on yet.
    held: Bytes,
    /// The number of bytes to pass on before the fault applies.
    left: u64,
    fault: UploadFault,
    connection: ConnectionHandle,
    refuse: Option<oneshot::Sender<()>>,
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
                    let _ = refuse.send(());
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
    /// Returns when the fault applies.
    pub(super) async fn wait(self) {
        if self.0.await.is_err() {
            // The body was shorter than the fault's number of bytes.
            pending::<()>().await;
        }
    }
}
