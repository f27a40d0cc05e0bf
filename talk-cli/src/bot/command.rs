//! The command that handles a message.

use std::borrow::Cow;
use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::{Sleep, sleep, timeout};

use super::process_group::ProcessGroup;
use crate::exit::CliError;

/// The largest accepted output in bytes.
const MAX_OUTPUT: usize = 64 << 10;

/// The largest value of an environment variable in bytes. Linux accepts 128 KiB.
const MAX_VARIABLE: usize = 64 << 10;

/// The time for which the output is read after the end of the command. It matters only if a
/// background process of the command keeps the output open.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// A command with its arguments.
#[derive(Clone)]
pub(super) struct BotCommand {
    program: OsString,
    args: Vec<OsString>,
    timeout: Duration,
}

/// A message as the input of a command: a line on standard input, and environment variables.
pub(super) struct Input {
    line: String,
    variables: [(&'static str, String); 4],
}

impl Input {
    pub(super) fn new(mut line: String, variables: [(&'static str, String); 4]) -> Self {
        line.push('\n');
        let variables = variables.map(|(name, value)| (name, variable(value)));
        Self { line, variables }
    }
}

/// Returns the value of an environment variable, cut to the largest size. NUL characters, which a
/// variable cannot contain, are replaced.
fn variable(mut value: String) -> String {
    value.truncate(value.floor_char_boundary(MAX_VARIABLE));
    match value.contains('\0') {
        true => value.replace('\0', "\u{fffd}"),
        false => value,
    }
}

/// A failed run of the command.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandFailure {
    #[error("the command cannot be run: {0}")]
    Start(io::Error),
    /// The argument list or environment, which contain the message, is too large.
    #[error("the message cannot be passed to the command: {0}")]
    Input(io::Error),
    #[error("the output of the command cannot be read: {0}")]
    Output(io::Error),
    #[error("the command failed: {0}")]
    Exit(ExitStatus),
    #[error("the command printed more than {} KiB", MAX_OUTPUT >> 10)]
    TooLong,
    #[error("the command has not ended within {} s", .0.as_secs_f32())]
    Late(Duration),
}

/// Returns `true` if the system lacks a resource for the moment, so that the command can be started
/// later.
pub(super) fn is_temporary(error: &io::Error) -> bool {
    use io::ErrorKind::{ExecutableFileBusy, Interrupted, OutOfMemory, WouldBlock};

    #[cfg(unix)]
    if let Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) =
        rustix::io::Errno::from_io_error(error)
    {
        return true;
    }
    let kind = error.kind();
    matches!(
        kind,
        ExecutableFileBusy | Interrupted | OutOfMemory | WouldBlock
    )
}

impl BotCommand {
    /// # Errors
    /// There is no such program.
    pub(super) fn new(command: Vec<OsString>, timeout: Duration) -> Result<Self, CliError> {
        let mut args = command.into_iter();
        let program = args.next().unwrap_or_default();
        if !exists(&program) {
            let name = program.to_string_lossy();
            return Err(CliError::Usage(format!("there is no command {name:?}")));
        }
        let args = args.collect();
        Ok(Self {
            program,
            args,
            timeout,
        })
    }

    /// Runs the command, and returns its output. Invalid UTF-8 in the output is replaced.
    ///
    /// If the command fails or the future is dropped, the command and the processes that it has
    /// started are killed. Processes that a successful command leaves behind keep running.
    pub(super) async fn run(&self, input: &Input) -> Result<String, CommandFailure> {
        let variables = input.variables.iter().map(|(name, value)| (name, value));
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process =
            ProcessGroup::start(&mut command).map_err(|error| match error.kind() {
                io::ErrorKind::ArgumentListTooLong => CommandFailure::Input(error),
                _ => CommandFailure::Start(error),
            })?;
        let output = timeout(self.timeout, output(&mut process, input.line.as_bytes())).await;
        let output = output.unwrap_or(Err(CommandFailure::Late(self.timeout)))?;
        process.release();
        Ok(match String::from_utf8_lossy(&output) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        })
    }
}

/// Passes the line to the process, and returns its output after its end.
async fn output(process: &mut ProcessGroup, line: &[u8]) -> Result<Vec<u8>, CommandFailure> {
    let mut output = Vec::new();
    let mut chunk = vec![0; 16 << 10];
    let mut feeding = pin!(feed(process.stdin.take(), line));
    let mut stdout = process.stdout.take();
    let mut status = None;
    let mut grace = None;
    let (mut is_fed, mut is_open) = (false, true);
    loop {
        tokio::select! {
            biased;
            () = &mut feeding, if !is_fed => is_fed = true,
            read = read(&mut stdout, &mut chunk), if is_open => {
                let read = chunk.get(..read.map_err(CommandFailure::Output)?);
                match read {
                    None | Some([]) => is_open = false,
                    Some(bytes) if output.len() + bytes.len() > MAX_OUTPUT => {
                        return Err(CommandFailure::TooLong);
                    }
                    Some(bytes) => output.extend_from_slice(bytes),
                }
            }
            ended = process.wait(), if status.is_none() => {
                let ended = ended.map_err(CommandFailure::Output)?;
                if !ended.success() {
                    return Err(CommandFailure::Exit(ended));
                }
                status = Some(ended);
                grace = Some(Box::pin(sleep(OUTPUT_GRACE)));
            }
            () = until(&mut grace), if is_open => is_open = false,
        }
        if status.is_some() && !is_open {
            return Ok(output);
        }
    }
}

/// Writes the line and closes the input. Ignores errors, because a command may end without reading
/// its input.
async fn feed(stdin: Option<ChildStdin>, line: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(line).await;
    }
}

/// Waits for the timer, or forever without one.
async fn until(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.await,
        None => pending().await,
    }
}

async fn read(stdout: &mut Option<ChildStdout>, chunk: &mut [u8]) -> io::Result<usize> {
    match stdout {
        Some(stdout) => stdout.read(chunk).await,
        None => Ok(0),
    }
}

/// Returns `false` if there is no such program. Without this check, a missing program would fail
/// for every message, and all messages would be skipped.
#[cfg(unix)]
fn exists(program: &OsString) -> bool {
    use std::path::Path;

    let path = Path::new(program);
    if path.components().count() > 1 || path.is_absolute() {
        return is_executable(path);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| is_executable(&folder.join(path)))
}

#[cfg(unix)]
fn is_executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    let metadata = path.metadata();
    metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn exists(_: &OsString) -> bool {
    true
}
