//! Results of work that blocks.

use std::future::Future;
use std::io;

use futures_channel::oneshot;

use super::send::MaybeSend;

/// Splits `work` into a task for a thread where blocking is allowed and a future of its value.
///
/// Dropping the future does not stop work that has begun; its value is discarded.
pub(crate) fn blocking_task<T: MaybeSend + 'static>(
    work: impl FnOnce() -> T + MaybeSend + 'static,
) -> (
    impl FnOnce() + MaybeSend + 'static,
    impl Future<Output = io::Result<T>> + MaybeSend + 'static,
) {
    let (sender, receiver) = oneshot::channel();
    let task = move || {
        // Fails if the future was dropped.
        let _ = sender.send(work());
    };
    let value = async {
        receiver
            .await
            .map_err(|_| io::Error::other("the async runtime is shutting down"))
    };
    (task, value)
}
