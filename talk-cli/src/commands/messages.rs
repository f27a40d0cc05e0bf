//! `talk messages`: what is said in a conversation.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use serde::Serialize;
use talk_tokio::{MessageId, MessageSnapshot, Window};

use super::app::{App, Common, run};
use crate::exit::{CliError, Outcome};
use crate::session_plan::SessionPlan;
use crate::terminal::{Paint, quote, reactions};

/// What `talk messages` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    conversation: String,
    /// End after the messages that there are, instead of following the conversation
    #[arg(long)]
    once: bool,
    /// How many messages to begin with
    #[arg(long, default_value_t = 30)]
    last: usize,
    #[command(flatten)]
    common: Common,
}

type Messages = Option<Window<MessageSnapshot>>;

/// Prints the last messages, the oldest one first, and then what becomes of them and what is sent.
pub(crate) fn run_messages(options: Options, session: SessionPlan) -> Outcome {
    run(session, &options.common, async |app| {
        let mut messages = app
            .conversation(&options.conversation)?
            .subscribe_messages();
        let mut shown = app.load(&messages, options.last).await?;
        begin(app, &options, &shown)?;
        if options.once {
            return Ok(());
        }
        app.follow(async {
            while let Some(update) = messages.next().await {
                for change in changes(shown.as_ref(), update.snapshot.as_ref()) {
                    change.print(app)?;
                }
                shown = update.snapshot;
            }
            Ok(messages.terminated().await?)
        })
        .await
    })
}

fn begin(app: &App, options: &Options, shown: &Messages) -> Result<(), CliError> {
    let Some(window) = shown else {
        let id = &options.conversation;
        let nothing = format!("no conversation {id:?} that this user is in");
        if options.once {
            return Err(CliError::NotFound(nothing));
        }
        eprintln!("talk: there is {nothing} yet, waiting for it");
        return Ok(());
    };
    let first = window.len().saturating_sub(options.last);
    for message in window.iter().rev().skip(first) {
        app.printer.print(message)?;
    }
    Ok(())
}

/// What became of a message from one snapshot to the next.
#[derive(Debug, PartialEq)]
enum Change {
    New(Arc<MessageSnapshot>),
    Edited(Arc<MessageSnapshot>),
    Reacted(Arc<MessageSnapshot>),
    /// Something else that it shows, such as its sender's name.
    Other(Arc<MessageSnapshot>),
    Deleted(Arc<MessageSnapshot>),
}

impl Change {
    fn of(before: &MessageSnapshot, after: &Arc<MessageSnapshot>) -> Self {
        let after = Arc::clone(after);
        if before.edited_at != after.edited_at {
            Self::Edited(after)
        } else if before.reactions.summaries() != after.reactions.summaries() {
            Self::Reacted(after)
        } else {
            Self::Other(after)
        }
    }

    fn print(&self, app: &App) -> Result<(), CliError> {
        #[derive(Serialize)]
        struct Deleted<'a> {
            id: &'a MessageId,
            deleted: bool,
        }
        let style = app.printer.style();
        let note = |text: String| style.paint(Paint::Dim, &text);
        match self {
            Self::New(message) | Self::Edited(message) => app.printer.print(message)?,
            Self::Reacted(message) => app.printer.print_as(message, || {
                let reactions = match reactions(message).as_str() {
                    "" => "no reactions".to_owned(),
                    reactions => reactions.to_owned(),
                };
                note(format!("{reactions} for “{}”", quote(message)))
            })?,
            // People see it when they look again.
            Self::Other(message) => app.printer.print_json(message)?,
            Self::Deleted(message) => {
                let deleted = Deleted {
                    id: &message.id,
                    deleted: true,
                };
                let text = || note(format!("deleted: “{}”", quote(message)));
                app.printer.print_as(&deleted, text)?;
            }
        }
        Ok(())
    }
}

/// What became of the messages of one window in the next, deletions first, then the oldest one
/// first. Windows are compared as a whole: after a reconnect their changes are not told.
fn changes(
    before: Option<&Window<MessageSnapshot>>,
    after: Option<&Window<MessageSnapshot>>,
) -> Vec<Change> {
    let before = || before.into_iter().flat_map(Window::iter);
    let newest = before().next().map(|message| message.created_at);
    let mut gone: BTreeMap<MessageId, &Arc<MessageSnapshot>> = before()
        .map(|message| (message.id.clone(), message))
        .collect();
    let mut changes = Vec::new();
    for message in after.into_iter().flat_map(|window| window.iter().rev()) {
        match gone.remove(&message.id) {
            Some(same) if same == message => {}
            Some(before) => changes.push(Change::of(before, message)),
            // An older one has moved up from where nothing was loaded.
            None if newest.is_some_and(|newest| message.created_at < newest) => {}
            None => changes.push(Change::New(Arc::clone(message))),
        }
    }
    let deleted = gone.into_values().cloned().map(Change::Deleted);
    deleted.chain(changes).collect()
}
