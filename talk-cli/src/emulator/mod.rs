//! `talk emulator`: a local TalkJS until Ctrl-C.

mod hints;

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use serde::de::DeserializeOwned;
use talk_emulator::server::{Seed, Settings};
use talk_emulator::{DataError, Emulator, WebhookKind, WebhookSettings};

use crate::exit::{CliError, Outcome, runtime};
use crate::json;
use crate::seconds::seconds;
use crate::signals::stop_signal;
use crate::terminal::{print_error, sanitize};

/// The data of `--seed demo`.
const DEMO: &str = include_str!("demo.json");

/// The arguments of `talk emulator`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The port to listen on; 0 takes any free port
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address to listen on. Other machines can reach it unless it is a loopback address: set a
    /// secret then
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Start with data: 'demo' for three users with some history in the app "demo", or a JSON file.
    /// An app that has users is not changed
    #[arg(long, value_name = "demo|FILE")]
    seed: Option<PathBuf>,
    /// Switch authentication on, with this secret key. Other users of the machine can read the
    /// command line: prefer TALK_SECRET, or the file of --config
    #[arg(
        long,
        value_name = "KEY",
        env = "TALK_SECRET",
        hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    secret: Option<String>,
    /// A JSON file with settings: roles, limits, sync, secret
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder that stores all data: talk.sqlite and files/. Without it the data is lost at the
    /// end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Send webhooks to this address, such as http://127.0.0.1:3000/hooks
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Send only this type of webhook, such as message.sent; can be given several times
    #[arg(long, value_name = "TYPE", requires = "webhook")]
    webhook_event: Vec<WebhookKind>,
    /// Send the webhook notification.triggered for messages that are unread for this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "webhook")]
    notify_after: Option<Duration>,
    /// Allow webhooks to other hosts than this machine
    #[arg(long)]
    webhook_any: bool,
    /// A host name for the control API in addition to localhost; can be given several times
    #[arg(long, value_name = "NAME", requires = "control_token")]
    control_host: Vec<String>,
    /// The token for control requests under these names; prefer the environment variable
    #[arg(
        long,
        value_name = "KEY",
        env = "TALK_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
}

/// Prints the address as the first line, and runs until a stop signal. Nothing else is printed to
/// standard output.
pub(crate) fn run(options: Options) -> Outcome {
    let settings = options.config.as_deref();
    let settings = settings.map(|file| read("--config", file));
    let settings: Option<Settings> = settings.transpose()?;
    let seed = options.seed.as_deref().map(read_seed).transpose()?;
    let mut builder = Emulator::builder().bind(options.bind).port(options.port);
    let is_configured = settings.is_some();
    if let Some(settings) = settings {
        builder = builder.settings(settings);
    }
    let mut given = vec!["origin"];
    if let Some(secret) = options.secret {
        given.push("secret");
        builder = builder.secret(secret);
    }
    if let Some(seed) = &seed {
        builder = builder.initial_data(seed.clone());
    }
    if let Some(folder) = options.data {
        builder = builder.data(folder).on_stall(report_stall);
    }
    if let Some(url) = options.webhook {
        given.push("webhooks");
        let mut webhooks = WebhookSettings::new(url);
        let events = options.webhook_event;
        let notify_after = options.notify_after.map(|it| it.as_millis().try_into());
        webhooks.notify_after_ms = notify_after.map(|ms| ms.unwrap_or(u64::MAX));
        webhooks.events = (!events.is_empty()).then(|| events.into_iter().collect());
        builder = builder.webhooks(webhooks);
    }
    if options.webhook_any {
        builder = builder.webhook_any();
    }
    let control_host = options.control_host.first().cloned();
    for name in options.control_host {
        builder = builder.control_host(name);
    }
    if let Some(token) = options.control_token {
        builder = builder.control_token(token);
    }
    runtime()?.block_on(async {
        let stop = stop_signal()?;
        let emulator = builder.start().await?;
        // Without a reader of the output there is nothing to report.
        let _ = writeln!(io::stdout(), "listening on {}", emulator.url());
        let _ = io::stdout().flush();
        if let Some(line) = hints::inspector(&emulator, control_host.as_deref()) {
            let _ = io::stderr().write_all(line.as_bytes());
        }
        let settings = emulator.settings().await.unwrap_or_default();
        let needs_token = settings.secret.is_some();
        let mut notes = hints::hints(emulator.host(), seed.as_ref(), needs_token);
        notes.extend(hints::webhooks(&settings));
        if !is_configured {
            notes.extend(hints::stored(&settings, &given));
        }
        let _ = io::stderr().write_all(notes.as_bytes());
        tokio::select! {
            _ = stop => {}
            () = emulator.wait() => {}
        }
        if let Some(failure) = emulator.failure() {
            return Err(CliError::Data(failure.to_string()));
        }
        emulator.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn report_stall(error: Option<&DataError>) {
    match error {
        Some(error) => {
            print_error(&format!(
                "cannot write the data folder: {}; requests wait until it can be written",
                sanitize::line(&error.to_string())
            ));
        }
        None => print_error("the data folder can be written again"),
    }
}

fn read_seed(file: &Path) -> Result<Seed, CliError> {
    if file == Path::new("demo") {
        let unusable = |error| CliError::Usage(format!("--seed demo: {error}"));
        return serde_json::from_str(DEMO).map_err(unusable);
    }
    read("--seed", file)
}

/// Reads the JSON file of a flag.
fn read<T: DeserializeOwned>(flag: &str, file: &Path) -> Result<T, CliError> {
    let unusable = |error: &dyn std::fmt::Display| {
        CliError::Usage(format!("{flag} {}: {error}", file.display()))
    };
    let text = fs::read_to_string(file).map_err(|error| unusable(&error))?;
    json::from_str(&text).map_err(|error| unusable(&error))
}
