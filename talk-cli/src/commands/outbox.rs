//! `talk outbox`: shows, changes and sends queued messages.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use talk_tokio::outbox::{EntryId, OutboxEntry};
use talk_tokio::{CommandError, Error};

use super::app::{App, run};
use super::send::read_text;
use crate::exit::{CliError, Outcome, runtime};
use crate::session_plan::SessionPlan;
use crate::terminal::Printer;

/// The arguments of `talk outbox`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the queued messages, also while another process uses the store
    List,
    /// Release held messages, which the next `send` sends
    Retry {
        /// The ID of the entry [default: all held entries]
        // IDs begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        entry: Option<String>,
    },
    /// Replace the text of a message that was never tried, or was refused
    Edit {
        /// The ID of the entry
        #[arg(allow_hyphen_values = true)]
        entry: String,
        /// The new text with markup such as *bold* and _italic_; - reads it from standard input
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Remove a message that is not sent
    Discard {
        /// The ID of the entry
        #[arg(allow_hyphen_values = true)]
        entry: String,
    },
    /// Send all queued messages, and fail if some are held
    Send,
}

/// Runs the action.
pub(crate) fn run_outbox(options: Options, session: SessionPlan) -> Outcome {
    session.require_store("talk outbox")?;
    match options.action {
        Action::List => list(session),
        Action::Send => {
            let limit = session.common.timeout;
            run(session.with_outbox(), async |app| send(app, limit).await)
        }
        Action::Retry { entry: None } => run(session.with_paused_outbox(), async |app| {
            Ok(app.session.retry_outbox().await?)
        }),
        Action::Retry { entry: Some(id) } => run(session.with_paused_outbox(), async |app| {
            let is_done = entry(app, &id)?.retry().await;
            done(is_done, || format!("no held entry {id:?}"))
        }),
        Action::Edit { entry: id, text } => run(session.with_paused_outbox(), async |app| {
            let is_done = entry(app, &id)?.edit(read_text(text)?).await;
            done(is_done, || format!("no entry {id:?} that can be edited"))
        }),
        Action::Discard { entry: id } => run(session.with_paused_outbox(), async |app| {
            let is_done = entry(app, &id)?.discard().await;
            done(is_done, || format!("no unsent entry {id:?}"))
        }),
    }
}

fn list(session: SessionPlan) -> Outcome {
    let printer = Printer::new(session.common.json);
    let session = session.with_outbox();
    let entries = runtime()?.block_on(session.options.stored_entries());
    printer.print_list(&entries.map_err(Error::from)?)?;
    Ok(ExitCode::SUCCESS)
}

fn entry(app: &App, id: &str) -> Result<OutboxEntry, CliError> {
    let id = EntryId::new(id).map_err(Error::from)?;
    Ok(app.session.outbox_entry(id))
}

fn done(is_done: Result<bool, Error>, absent: impl FnOnce() -> String) -> Result<(), CliError> {
    match is_done {
        Ok(true) => Ok(()),
        Ok(false) | Err(Error::Usage(CommandError::UnknownEntry)) => {
            Err(CliError::NotFound(absent()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits until all entries are sent or held.
async fn send(app: &App, limit: Option<Duration>) -> Result<(), CliError> {
    let mut entries = app.session.subscribe_outbox();
    let held = async {
        while let Some(update) = entries.next().await {
            if update.snapshot.iter().all(|entry| is_stuck(entry)) {
                return Ok(update.snapshot);
            }
        }
        Err(entries.terminated().await.err())
    };
    let held = match limit {
        Some(limit) => tokio::time::timeout(limit, held)
            .await
            .map_err(|_| app.late(true))?,
        None => held.await,
    };
    let held = match held {
        Ok(held) => held,
        Err(error) => return error.map_or(Ok(()), |error| Err(error.into())),
    };
    if held.is_empty() {
        return Ok(());
    }
    let held: Vec<_> = held.iter().cloned().collect();
    app.printer.print_list(&held)?;
    Err(CliError::Held(held.len()))
}

/// Returns `true` if an entry waits for a decision of the user.
pub(super) fn is_stuck(entry: &talk_tokio::outbox::Entry) -> bool {
    entry.held().is_some() || entry.blocked_by.is_some()
}
