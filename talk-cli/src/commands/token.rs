//! `talk token`: creates and checks user tokens.

use std::io;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::builder::NonEmptyStringValueParser;
use talk_proto::{
    Secret, Timestamp,
    model::{AppId, EmptyId, UserId},
    token::{TokenCheck, TokenClaims},
};

use crate::exit::{CliError, Outcome};
use crate::seconds::seconds;
use crate::session_args::SessionArgs;
use crate::terminal::{Printer, sanitize};

/// The arguments of `talk token`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Create a token for --app and --user, and print it
    Mint(Mint),
    /// Show the problems of a token: --token, TALK_TOKEN, or the first line of standard input
    Check(Check),
}

#[derive(Debug, clap::Args)]
struct Key {
    /// The secret key of the app. Other users of the machine can read the command line: prefer
    /// TALK_SECRET, or a file on standard input
    #[arg(
        long,
        value_name = "KEY",
        env = "TALK_SECRET",
        hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    secret: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Mint {
    #[command(flatten)]
    key: Key,
    /// The lifetime in seconds (default: one day)
    #[arg(long, value_name = "SECONDS", default_value = "86400", value_parser = seconds)]
    expires_in: Duration,
    /// Create a token that never expires
    #[arg(long, conflicts_with = "expires_in")]
    no_expiry: bool,
}

#[derive(Debug, clap::Args)]
struct Check {
    #[command(flatten)]
    key: Key,
}

/// Prints a new token, or the problems of a given one. Returns a failure as exit code if the given
/// token would be refused.
pub(crate) fn run_token(options: Options, session: &SessionArgs, json: bool) -> Outcome {
    let printer = Printer::new(json);
    match options.action {
        Action::Mint(mint) => run_mint(mint, session, printer),
        Action::Check(check) => run_check(check, session, printer),
    }
}

fn run_mint(mint: Mint, session: &SessionArgs, printer: Printer) -> Outcome {
    let (app, user) = session.app_and_user()?;
    let claims = TokenClaims::new(app_id(app)?, user_id(user)?);
    let claims = match mint.no_expiry {
        true => claims,
        false => claims.expires_at(now() + mint.expires_in),
    };
    let secret = match mint.key.secret {
        Some(secret) => secret,
        None => first_line("the secret key: set TALK_SECRET, or give it on standard input")?,
    };
    let token = claims.mint(&Secret::from(secret));
    let minted = serde_json::json!({ "token": token.expose() });
    printer.print_as(&minted, || token.expose().to_owned())?;
    Ok(ExitCode::SUCCESS)
}

fn run_check(options: Check, session: &SessionArgs, printer: Printer) -> Outcome {
    let mut check = TokenCheck::new(now());
    if let Some(secret) = options.key.secret {
        check = check.secret(secret);
    }
    if let Some(app) = session.app() {
        check = check.app_id(app_id(app)?);
    }
    if let Some(user) = session.user() {
        check = check.user_id(user_id(user)?);
    }
    let token = match session.token()? {
        Some(token) => token,
        None => first_line("the token: set TALK_TOKEN, or give it on standard input")?,
    };
    let report = check.check(&Secret::from(token));
    let mut lines = Vec::new();
    for (name, claim) in [("app", &report.app_id), ("user", &report.user_id)] {
        if let Some(claim) = claim {
            lines.push(format!("{name}: {}", sanitize::line(claim)));
        }
    }
    if let Some(expires_at) = report.expires_at {
        lines.push(format!("expires: {}", expires_at.as_millis() / 1000));
    }
    let problems = report.problems.iter().map(|problem| {
        let weight = match problem.is_refused() {
            true => "refused",
            false => "warning",
        };
        (weight, problem.to_string())
    });
    let problems: Vec<_> = problems.collect();
    for (weight, problem) in &problems {
        lines.push(format!("{weight}: {}", sanitize::line(problem)));
    }
    let problem =
        |(weight, text): &(_, _)| serde_json::json!({ "weight": weight, "message": text });
    let checked = serde_json::json!({
        "accepted": report.is_accepted(),
        "app": report.app_id,
        "user": report.user_id,
        "expiresAt": report.expires_at.map(|at| at.as_millis()),
        "problems": problems.iter().map(problem).collect::<Vec<_>>(),
    });
    printer.print_as(&checked, || lines.join("\n"))?;
    Ok(match report.is_accepted() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn app_id(text: &str) -> Result<AppId, CliError> {
    AppId::new(text).map_err(empty)
}

fn user_id(text: &str) -> Result<UserId, CliError> {
    UserId::new(text).map_err(empty)
}

fn empty(error: EmptyId) -> CliError {
    CliError::Usage(error.to_string())
}

/// Returns the first line of standard input. `what` names its content for errors.
fn first_line(what: &str) -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    match line.trim() {
        "" => Err(CliError::Usage(format!("missing {what}"))),
        line => Ok(line.to_owned()),
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
