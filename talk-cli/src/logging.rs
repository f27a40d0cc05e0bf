//! The log of `-v` on standard error.

use std::io::{self, Write};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::terminal::{print_error, sanitize};

/// Logs the session on standard error: the connection with one `-v`, also calls, requests and the
/// sizes of frames with more. An emulator logs its connections and requests. Tokens and texts are
/// not logged.
pub(crate) fn init(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(|| Stderr)
        .with_filter(
            Targets::new()
                .with_target("talk_client", level)
                .with_target("talk_emulator", level),
        );
    tracing_subscriber::registry().with(lines).init();
}

/// Writes lines without the control characters of a server.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        print_error(&sanitize::line(text.trim_end()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
