//! How a command ends.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use talk_emulator::StartError;

use crate::terminal::sanitize;

/// Why a command could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// What was asked for makes no sense. Exit code 2, as for what clap finds.
    #[error("{0}")]
    Usage(String),
    /// What was asked for failed.
    #[error(transparent)]
    Talk(#[from] talk_tokio::Error),
    #[error(transparent)]
    Runtime(#[from] talk_tokio::NoRuntimeError),
    /// What was asked for does not exist.
    #[error("there is {0}")]
    NotFound(String),
    /// A file could not be uploaded.
    #[error("{}: {error}", path.display())]
    Upload {
        path: PathBuf,
        error: talk_tokio::Error,
    },
    /// A signal that cancelled an operation, with the exit code for it.
    #[error("cancelled")]
    Interrupted(u8),
    /// The demo did not come to its end.
    #[error("the demo is stuck: what was done did not arrive; this is a bug")]
    Demo,
    #[error(transparent)]
    Emulator(#[from] StartError),
    /// The emulator could not keep what happened, and has stopped.
    #[error("the emulator has stopped, since its data cannot be written: {0}")]
    Data(String),
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How a command ends: with an exit code, or with an error that is reported.
pub(crate) type Outcome = Result<ExitCode, CliError>;

/// Tells the error on standard error, and gives the exit code that stands for it.
pub(crate) fn report(error: &CliError) -> ExitCode {
    // Whoever read the output has gone, as `head` does: there is nobody to complain to.
    if matches!(error, CliError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("talk: {}", sanitize::line(&error.to_string()));
    match error {
        CliError::Usage(_) => ExitCode::from(2),
        CliError::Interrupted(exit_code) => ExitCode::from(*exit_code),
        _ => ExitCode::FAILURE,
    }
}

/// The runtime of a command: one thread, which is all that one session needs.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
