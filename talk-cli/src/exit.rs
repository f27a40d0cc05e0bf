//! The end of a command: exit codes and errors.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use talk_emulator::StartError;

use crate::failure::Failure;
use crate::terminal::{print_error, sanitize};

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The arguments are invalid.
    #[error("{0}")]
    Usage(String),
    /// A call or subscription failed.
    #[error(transparent)]
    Talk(#[from] talk_tokio::Error),
    #[error(transparent)]
    Runtime(#[from] talk_tokio::NoRuntimeError),
    /// The entity does not exist.
    #[error("there is {0}")]
    NotFound(String),
    /// A file could not be uploaded.
    #[error("{}: {error}", path.display())]
    Upload {
        path: PathBuf,
        error: talk_tokio::Error,
    },
    /// Messages in the outbox are held.
    #[error("{0} of the queued messages are held; see `talk outbox list`")]
    Held(usize),
    /// A message in the outbox is held, or waits for a held one.
    #[error("the message is not sent: {0}; see `talk outbox list`")]
    NotSent(String),
    /// The command of a bot cannot be started any more.
    #[error(
        "the command cannot be run: {0}; the message stays unhandled until the bot is started again"
    )]
    Command(String),
    /// A signal cancelled the operation. The number is its exit code.
    #[error("cancelled")]
    Interrupted(u8),
    /// The demo did not finish.
    #[error("the demo is stuck: what was done did not arrive; this is a bug")]
    Demo,
    #[error(transparent)]
    Emulator(#[from] StartError),
    /// The emulator could not store its data, and has stopped.
    #[error("the emulator has stopped, since its data cannot be written: {0}")]
    Data(String),
    /// A running emulator could not be controlled.
    #[error("{0}")]
    Control(String),
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The result of a command: an exit code, or an error to report.
pub(crate) type Outcome = Result<ExitCode, CliError>;

/// Reports an error on standard error, and returns its exit code.
pub(crate) fn report(error: &CliError, json: bool) -> ExitCode {
    // The reader has closed the output, as `head` does.
    if matches!(error, CliError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    if json {
        print_json(&error.failure());
    } else {
        print_error(&format!("talk: {}", sanitize::line(&error.to_string())));
    }
    match error {
        CliError::Interrupted(exit_code) => ExitCode::from(*exit_code),
        error if error.failure().is_usage() => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}

/// Prints help, or reports wrong arguments, and returns the exit code.
pub(crate) fn report_usage(error: &clap::Error) -> ExitCode {
    // The command line is unreadable, so the flag is searched in the arguments.
    let json = std::env::args_os().any(|arg| arg == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let cause = text.split("\n\n").next().unwrap_or_default();
        print_json(&Failure::usage(cause.trim_end()));
    } else {
        // If the output is closed, the error cannot be reported.
        let _ = error.print();
    }
    match error.use_stderr() {
        true => ExitCode::from(USAGE),
        false => ExitCode::SUCCESS,
    }
}

/// The exit code of all errors of the kind `usage`, as in clap.
const USAGE: u8 = 2;

fn print_json(failure: &Failure) {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        error: &'a Failure,
    }
    // Infallible: the failure holds strings and numbers.
    let line = serde_json::to_string(&Line { error: failure }).unwrap_or_default();
    print_error(&sanitize::json(&line));
}

impl CliError {
    fn failure(&self) -> Failure {
        match self {
            Self::Usage(message) => Failure::usage(message.as_str()),
            Self::Talk(error) => error.clone().into(),
            Self::Upload { error, .. } => {
                Failure::from(error.clone()).with_message(self.to_string())
            }
            Self::NotFound(_) => Failure::local("NOT_FOUND", self),
            Self::Held(_) | Self::NotSent(_) => Failure::local("HELD", self),
            Self::Command(_) => Failure::local("COMMAND_NOT_STARTED", self),
            Self::Interrupted(_) => Failure::local("CANCELLED", self),
            Self::Demo => Failure::local("DEMO_STUCK", self),
            Self::Emulator(StartError::ControlToken | StartError::Webhook(_)) => {
                Failure::usage(self.to_string())
            }
            Self::Emulator(_) => Failure::local("EMULATOR_NOT_STARTED", self),
            Self::Control(_) => Failure::local("EMULATOR_UNREACHABLE", self),
            Self::Data(_) => Failure::local("EMULATOR_STOPPED", self),
            Self::Runtime(_) | Self::Output(_) | Self::Io(_) => Failure::local("IO_ERROR", self),
        }
    }
}

/// Returns the runtime of a command. One thread is sufficient for one session.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
