//! The reader of standard output.

use std::future::pending;
use std::thread;

use tokio::sync::oneshot;

/// Completes when the reader of standard output has closed it, as `head` does. A command that
/// prints only now and then would not notice otherwise.
pub(crate) async fn stdout_closed() {
    let (sender, closed) = oneshot::channel();
    // The thread is left behind at the end: a poll without a time-out cannot be cancelled.
    let watcher = thread::Builder::new().spawn(move || {
        if is_closed_later() {
            // The receiver is gone if the command has ended.
            let _ = sender.send(());
        }
    });
    if watcher.is_err() || closed.await.is_err() {
        pending::<()>().await;
    }
}

/// Blocks until standard output is closed, and returns `true` then. Returns `false` at once where
/// that cannot be watched.
#[cfg(unix)]
fn is_closed_later() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;

    let stdout = std::io::stdout();
    // Errors and the end of the reader are reported without being asked for.
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Ok(_) => return true,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(windows)]
fn is_closed_later() -> bool {
    false
}
