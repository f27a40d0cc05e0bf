//! Requests to stop the process.

use std::io;

/// Returns a future that completes when the process receives a stop signal: by Ctrl-C, from its
/// supervisor, or by the end of its terminal. Its output is the exit code. The handlers are
/// installed when this function returns.
#[cfg(unix)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = u8>> {
    use std::future::pending;
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = match is_hangup_ignored() {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    Ok(async move {
        let hangup = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        // The exit code is 128 plus the number of the signal, as in a shell.
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
            _ = hangup => 129,
        }
    })
}

/// Returns `true` if the process was started by `nohup` or a similar tool, whose effect a handler
/// would undo.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Bit 0 stands for signal 1, which is SIGHUP.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

/// Returns a future that completes on Ctrl-C with the exit code.
#[cfg(windows)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = u8>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
        130
    })
}
