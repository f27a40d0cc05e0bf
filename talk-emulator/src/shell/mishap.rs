use std::future::pending;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Duration, sleep};

use crate::server::HttpFault;

/// The connection that a request came on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    cut: Arc<Notify>,
}

impl Line {
    /// Resolves when the connection is to be cut.
    pub(crate) async fn cut(&self) {
        self.cut.notified().await;
    }

    /// Lets happen what is to happen before the answer; where there is to be none, this never ends.
    pub(crate) async fn suffer(&self, fault: Option<HttpFault>) {
        match fault {
            None => {}
            Some(HttpFault::Slow(delay)) => sleep(Duration::from_millis(delay)).await,
            Some(HttpFault::Stall) => pending::<()>().await,
            Some(HttpFault::Drop) => {
                self.cut.notify_one();
                pending::<()>().await;
            }
        }
    }
}
