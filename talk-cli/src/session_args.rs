//! The flags of every command that opens a session.

use std::env::VarError;

use clap::builder::NonEmptyStringValueParser;
use http::uri::{Authority, InvalidUri};
use talk_tokio::net::{ProxyOptions, ProxyUrlError};
use talk_tokio::{EmptyId, TalkOptions};

use crate::control::is_loopback;
use crate::exit::CliError;
use crate::host::host;
use crate::output_args::Common;
use crate::session_plan::{Runtime, SessionPlan};
use crate::store::StoreAddress;

/// The flags for the user, the service and the credentials.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Session")]
pub(crate) struct SessionArgs {
    /// The ID of the app
    #[arg(long, global = true, env = "TALK_APP")]
    app: Option<String>,
    /// The ID of the user to connect as
    #[arg(long, global = true, env = "TALK_USER")]
    user: Option<String>,
    /// The host of the service, such as 127.0.0.1:8080 for an emulator [default: the public
    /// service]
    #[arg(long, global = true, env = "TALK_HOST", value_parser = host)]
    host: Option<String>,
    /// Connect without TLS, to a server without TLS in a trusted network
    #[arg(long, global = true)]
    plain: bool,
    /// Connect through a proxy such as `http://proxy:3128` or `socks5://proxy:1080`, or
    /// directly with 'none' [default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY]. Put a
    /// password into these variables instead, because other users can read the command line
    // Not parsed by clap, whose error would print the value with its password.
    #[arg(long, global = true, value_name = "URL")]
    proxy: Option<String>,
    /// A JWT for the user. Other users of the machine can read the command line: prefer TALK_TOKEN,
    /// or a file with --token-command 'cat FILE' [env: TALK_TOKEN, unless --token-command or
    /// --signature is given]
    #[arg(long, global = true, value_name = "JWT", value_parser = NonEmptyStringValueParser::new())]
    token: Option<String>,
    /// A shell command that prints a JWT, run whenever a token is needed
    #[arg(long, global = true, value_name = "CMD", value_parser = NonEmptyStringValueParser::new())]
    token_command: Option<String>,
    /// The signature of the authentication scheme that preceded JWTs
    #[arg(long, global = true, value_name = "HEX")]
    signature: Option<String>,
    /// The durable store: the outbox, and the positions of inboxes; for `bot`, `rpc`, `outbox` and
    /// `send --queue`. A file, or postgres://… for a database that machines share. PGPASSWORD can
    /// hold the password
    #[arg(long, global = true, value_name = "STORE", value_parser = StoreAddress::parse)]
    store: Option<StoreAddress>,
    /// The async runtime to run on
    #[arg(long, global = true, value_enum, default_value = "tokio")]
    runtime: Runtime,
}

impl SessionArgs {
    /// Returns the app, if it is set.
    pub(crate) fn app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    /// Returns the user, if it is set.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the app and the user, which must be set.
    pub(crate) fn app_and_user(&self) -> Result<(&str, &str), CliError> {
        let app = required(self.app(), "--app", "TALK_APP")?;
        let user = required(self.user(), "--user", "TALK_USER")?;
        Ok((app, user))
    }

    /// Returns the token of `--token` or else of `TALK_TOKEN`.
    pub(crate) fn token(&self) -> Result<Option<String>, CliError> {
        match &self.token {
            Some(token) => Ok(Some(token.clone())),
            None => token_of_environment(),
        }
    }

    /// Returns the host of an emulator to control. There is no TLS, so other machines need
    /// `--plain`.
    pub(crate) fn control_host(&self) -> Result<Authority, CliError> {
        let host = required(self.host.as_deref(), "--host", "TALK_HOST")?;
        let invalid = |error: InvalidUri| CliError::Usage(format!("--host {host}: {error}"));
        let host: Authority = host.parse().map_err(invalid)?;
        if !is_loopback(&host) && !self.plain {
            let reason = "an emulator on another machine has no TLS; add --plain if the network \
                          is trusted";
            return Err(CliError::Usage(reason.to_owned()));
        }
        Ok(host)
    }

    /// Returns the session that the flags describe.
    pub(crate) fn plan(self, common: Common) -> Result<SessionPlan, CliError> {
        let (app, user) = self.app_and_user()?;
        let mut options = TalkOptions::new(app, user)
            .map_err(|error: EmptyId| CliError::Usage(error.to_string()))?;
        if let Some(host) = &self.host {
            options = options.host(host);
        }
        if self.plain {
            options = options.plain();
        }
        if let Some(proxy) = &self.proxy {
            let wrong = |error| CliError::Usage(format!("--proxy: {error}"));
            options = options.proxy(self::proxy(proxy).map_err(wrong)?);
        }
        let credentials = [&self.token, &self.token_command, &self.signature];
        if credentials.into_iter().flatten().count() > 1 {
            return Err(CliError::Usage(
                "give one of --token, --token-command and --signature".to_owned(),
            ));
        }
        if let Some(signature) = &self.signature {
            options = options.signature(signature.as_str());
        } else if self.token_command.is_none()
            && let Some(token) = self.token()?
        {
            options = options.token(token);
        }
        Ok(SessionPlan {
            options,
            host: self.host.unwrap_or_else(|| "the service".to_owned()),
            token_command: self.token_command,
            runtime: self.runtime,
            store: self.store.map(StoreAddress::store).transpose()?,
            common,
        })
    }
}

/// Returns the token of the environment. An empty variable counts as unset.
fn token_of_environment() -> Result<Option<String>, CliError> {
    match std::env::var("TALK_TOKEN") {
        Ok(token) => Ok(Some(token).filter(|token| !token.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(CliError::Usage("TALK_TOKEN is not UTF-8".to_owned())),
    }
}

/// Parses the value of `--proxy`.
fn proxy(value: &str) -> Result<ProxyOptions, ProxyUrlError> {
    match value {
        "none" => Ok(ProxyOptions::disabled()),
        url => ProxyOptions::url(url),
    }
}

fn required<'a>(value: Option<&'a str>, flag: &str, variable: &str) -> Result<&'a str, CliError> {
    value.ok_or_else(|| CliError::Usage(format!("{flag} is missing (or set {variable})")))
}
