//! The reader of standard output.

use std::future::pending;
use std::thread;

use tokio::sync::oneshot;

/// Completes when the reader of standard output has closed it, as `head` does. Otherwise a command
/// that rarely prints would not notice it.
pub(crate) async fn stdout_closed() {
    let (sender, closed) = oneshot::channel();
    // The thread is not joined, because a poll without a time-out cannot be cancelled.
    let watcher = thread::Builder::new().spawn(move || {
        if is_closed_later() {
            // The receiver was dropped if the command has ended.
            let _ = sender.send(());
        }
    });
    if watcher.is_err() || closed.await.is_err() {
        pending::<()>().await;
    }
}

/// Blocks until standard output is closed, and returns `true`. Returns `false` at once if that
/// cannot be observed.
#[cfg(unix)]
fn is_closed_later() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;

    let stdout = std::io::stdout();
    // Errors and the end of the reader are always reported, without a flag.
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
