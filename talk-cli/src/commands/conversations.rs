//! `talk conversations`: what the user is in.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use serde::Serialize;
use talk_tokio::{ConversationFilter, ConversationId, ConversationSnapshot, Window};

use super::app::{App, Common, run};
use super::search::filter;
use crate::exit::{CliError, Outcome};
use crate::session_plan::SessionPlan;
use crate::terminal::{Paint, Show, sanitize};

/// What `talk conversations` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// End after the conversations that there are, instead of following them
    #[arg(long)]
    once: bool,
    /// How many conversations to begin with
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Only the conversations that this wants, in JSON: {"isUnread": true}
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<ConversationFilter>,
    #[command(flatten)]
    common: Common,
}

/// Prints conversations, the most recently active first, and then what becomes of them and which
/// come and go.
pub(crate) fn run_conversations(options: Options, session: SessionPlan) -> Outcome {
    run(session, &options.common, async |app| {
        let mut conversations = app.session.subscribe_conversations(options.filter);
        let mut shown = app.load(&conversations, options.limit).await?;
        for conversation in shown.iter().take(options.limit) {
            app.printer.print(conversation)?;
        }
        if options.once {
            return Ok(());
        }
        if shown.is_empty() {
            eprintln!("talk: there is no such conversation yet, waiting for one");
        }
        app.follow(async {
            while let Some(update) = conversations.next().await {
                for change in changes(&shown, &update.snapshot) {
                    change.print(app)?;
                }
                shown = update.snapshot;
            }
            Ok(conversations.terminated().await?)
        })
        .await
    })
}

/// What became of a conversation from one snapshot to the next.
#[derive(Debug, PartialEq)]
enum Change {
    /// It has come into the list.
    New(Arc<ConversationSnapshot>),
    /// It was shown as the first and is to be shown as the second.
    Changed(Arc<ConversationSnapshot>, Arc<ConversationSnapshot>),
    /// The user has left it, or it does not match any more.
    Gone(Arc<ConversationSnapshot>),
}

impl Change {
    fn print(&self, app: &App) -> Result<(), CliError> {
        #[derive(Serialize)]
        struct Gone<'a> {
            id: &'a ConversationId,
            gone: bool,
        }
        let style = app.printer.style();
        match self {
            Self::New(conversation) => app.printer.print(conversation)?,
            // When it was read, say, is nothing that people see.
            Self::Changed(before, after) if before.show(style) == after.show(style) => {
                app.printer.print_json(after)?;
            }
            Self::Changed(_, after) => app.printer.print(after)?,
            Self::Gone(conversation) => {
                let id = &conversation.id;
                let title = conversation.subject.as_deref().unwrap_or(id.as_str());
                let text =
                    || style.paint(Paint::Dim, &format!("gone: “{}”", sanitize::line(title)));
                app.printer.print_as(&Gone { id, gone: true }, text)?;
            }
        }
        Ok(())
    }
}

/// What became of the conversations of one window in the next: first those that are gone, then the
/// most recently active one last. Windows are compared as a whole: after a reconnect their changes
/// are not told.
fn changes(
    before: &Window<ConversationSnapshot>,
    after: &Window<ConversationSnapshot>,
) -> Vec<Change> {
    let mut gone: BTreeMap<&ConversationId, &Arc<ConversationSnapshot>> = before
        .iter()
        .map(|conversation| (&conversation.id, conversation))
        .collect();
    let mut changes = Vec::new();
    for conversation in after.iter().rev() {
        match gone.remove(&conversation.id) {
            Some(same) if same == conversation => {}
            Some(before) => {
                changes.push(Change::Changed(
                    Arc::clone(before),
                    Arc::clone(conversation),
                ));
            }
            None => changes.push(Change::New(Arc::clone(conversation))),
        }
    }
    let gone = gone.into_values().cloned().map(Change::Gone);
    gone.chain(changes).collect()
}
