//! The plan of a session, before it is opened.

use std::process::Stdio;
use std::time::Duration;

use clap::ValueEnum;
use talk_tokio::{NoRuntimeError, Session, TalkOptions};
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::exit::CliError;
use crate::output_args::Common;
use crate::store::{SessionStore, with_store};

/// The async runtimes with an adapter.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Runtime {
    Tokio,
    AsyncStd,
    Smol,
}

/// The options and the runtime of a session. The command itself runs on tokio.
pub(crate) struct SessionPlan {
    pub(crate) options: TalkOptions,
    /// The name of the server in messages.
    pub(crate) host: String,
    /// A command that prints a token.
    pub(crate) token_command: Option<String>,
    pub(crate) runtime: Runtime,
    /// The durable store.
    pub(crate) store: Option<SessionStore>,
    pub(crate) common: Common,
}

impl SessionPlan {
    pub(crate) fn call_timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.call_timeout(timeout);
        self
    }

    /// Fails if there is no `--store`.
    pub(crate) fn require_store(&self, command: &str) -> Result<(), CliError> {
        match self.store {
            Some(_) => Ok(()),
            None => Err(CliError::Usage(format!("{command} needs --store FILE"))),
        }
    }

    /// Turns the outbox on, in the store if there is one.
    pub(crate) fn with_outbox(mut self) -> Self {
        self.options = with_store(self.options, self.store.as_ref());
        self
    }

    /// Turns the outbox on, and sends no entry of an earlier process.
    pub(crate) fn with_paused_outbox(self) -> Self {
        let mut session = self.with_outbox();
        session.options = session.options.pause_restored();
        session
    }

    /// Sets the time for which the session waits for another process that uses the store.
    pub(crate) fn store_timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.store_timeout(timeout);
        self
    }

    /// Lets the session work without its store while another process uses it.
    ///
    /// # Errors
    /// If there is no `--store`.
    pub(crate) fn standby(mut self) -> Result<Self, CliError> {
        self.require_store("--standby")?;
        self.options = self.options.standby(true);
        Ok(self)
    }

    /// Keeps the newest items of lists in the store.
    ///
    /// # Errors
    /// If there is no `--store`.
    pub(crate) fn cache(mut self) -> Result<Self, CliError> {
        self.require_store("--cache")?;
        self.options = self.options.cache(true);
        Ok(self)
    }

    /// Opens the session.
    ///
    /// # Errors
    /// If called outside of a tokio runtime.
    pub(crate) fn open(self) -> Result<Session, NoRuntimeError> {
        let tokio = Handle::try_current().map_err(|_| NoRuntimeError)?;
        let options = match self.token_command {
            Some(command) => self
                .options
                .token_fetcher(move || on_tokio(&tokio, run_token_command(command.clone()))),
            None => self.options,
        };
        match self.runtime {
            Runtime::Tokio => talk_tokio::get_talk_session(options),
            Runtime::AsyncStd => talk_async_std::get_talk_session(options),
            Runtime::Smol => talk_smol::get_talk_session(options),
        }
    }
}

/// Runs a task on tokio, independent of the runtime that awaits it. Dropping the future drops the
/// task.
fn on_tokio<F>(tokio: &Handle, task: F) -> impl Future<Output = F::Output> + Send + use<F>
where
    F: Future<Output = Result<String, String>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    tasks.spawn_on(task, tokio);
    async move {
        match tasks.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => Err("the command is ending".to_owned()),
        }
    }
}

/// Runs the command in a shell and returns its trimmed output, the token.
async fn run_token_command(command: String) -> Result<String, String> {
    let output = shell(&command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("the token command cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("the token command failed: {}", output.status));
    }
    let token = String::from_utf8(output.stdout)
        .map_err(|_| "the token command printed what is no text")?;
    match token.trim() {
        "" => Err("the token command printed nothing".to_owned()),
        token => Ok(token.to_owned()),
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").raw_arg(command);
    shell
}
