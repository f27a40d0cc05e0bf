//! The flags of every command that opens a session.

use std::process::Stdio;

use clap::ValueEnum;
use talk_tokio::{EmptyId, TalkOptions};
use tokio::process::Command;

use crate::exit::CliError;

/// Whose session it is, where the service is, and how the user proves who they are.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Session")]
pub(crate) struct SessionArgs {
    /// The ID of the app
    #[arg(long, global = true, env = "TALK_APP")]
    app: Option<String>,
    /// The ID of the user to connect as
    #[arg(long, global = true, env = "TALK_USER")]
    user: Option<String>,
    /// Where the service is, such as 127.0.0.1:8080 for an emulator [default: the public service]
    #[arg(long, global = true, env = "TALK_HOST")]
    host: Option<String>,
    /// A JWT for the user [env: TALK_TOKEN, unless one of the next two is given]
    #[arg(long, global = true, value_name = "JWT")]
    token: Option<String>,
    /// A shell command that prints a JWT, run for each one that is needed
    #[arg(long, global = true, value_name = "CMD")]
    token_command: Option<String>,
    /// The signature of the scheme before JWTs
    #[arg(long, global = true, value_name = "HEX")]
    signature: Option<String>,
    /// The async runtime to run on
    #[arg(long, global = true, value_enum, default_value = "tokio")]
    runtime: Runtime,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Runtime {
    Tokio,
}

impl SessionArgs {
    /// What the flags ask for.
    pub(crate) fn options(self) -> Result<TalkOptions, CliError> {
        let Runtime::Tokio = self.runtime;
        let app = required(self.app, "--app", "TALK_APP")?;
        let user = required(self.user, "--user", "TALK_USER")?;
        let mut options = TalkOptions::new(app, user)
            .map_err(|error: EmptyId| CliError::Usage(error.to_string()))?;
        if let Some(host) = self.host {
            options = options.host(checked_host(&host)?);
        }
        match (self.token, self.token_command, self.signature) {
            (None, None, None) => Ok(match std::env::var("TALK_TOKEN") {
                Ok(token) => options.token(token),
                Err(_) => options,
            }),
            (Some(token), None, None) => Ok(options.token(token)),
            (None, Some(command), None) => {
                Ok(options.token_fetcher(move || run_token_command(command.clone())))
            }
            (None, None, Some(signature)) => Ok(options.signature(signature)),
            _ => Err(CliError::Usage(
                "give one of --token, --token-command and --signature".to_owned(),
            )),
        }
    }
}

fn required(value: Option<String>, flag: &str, variable: &str) -> Result<String, CliError> {
    value.ok_or_else(|| CliError::Usage(format!("{flag} is missing (or set {variable})")))
}

fn checked_host(host: &str) -> Result<&str, CliError> {
    if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
        return Err(CliError::Usage(format!(
            "--host takes a name with an optional port, such as 127.0.0.1:8080, not {host:?}"
        )));
    }
    Ok(host)
}

/// Runs the command in a shell; its trimmed output is the token.
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
