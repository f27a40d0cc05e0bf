//! `talk conversations`: shows and follows the user's conversations.

use futures_util::StreamExt;
use talk_tokio::{ConversationFilter, ConversationSnapshot, Error, RemovalReason, RetrySafety};

use super::app::{App, run};
use super::list_diff::{Difference, Listing, Removed, differences, reason_text};
use super::search::filter;
use crate::exit::{CliError, Outcome};
use crate::session_plan::SessionPlan;
use crate::terminal::{Paint, Show, sanitize};

/// The arguments of `talk conversations`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// End after the present conversations instead of following them
    #[arg(long)]
    once: bool,
    /// The number of conversations to show first
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// A filter of the conversations, in JSON: {"isUnread": true}
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<ConversationFilter>,
}

/// Prints conversations, the most recently active first, and then their changes, additions and
/// removals.
pub(crate) fn run_conversations(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        let is_filtered = options.filter.is_some();
        let mut conversations = app.session.subscribe_conversations(options.filter);
        let loaded = app.load_next(&mut conversations, options.limit).await?;
        for conversation in loaded.iter().take(options.limit) {
            app.printer.print(conversation)?;
        }
        if options.once {
            return Ok(());
        }
        if loaded.is_empty() {
            app.printer
                .notice("there is no such conversation yet, waiting for one");
        }
        let mut before = Listing::from(&loaded);
        app.follow(async {
            while let Some(update) = conversations.next().await {
                let after = Listing::from(&update.snapshot);
                for difference in differences(&before, &after, &update.changes) {
                    print(app, &difference, is_filtered).await?;
                }
                before = after;
            }
            Ok(conversations.terminated().await?)
        })
        .await
    })
}

async fn print(
    app: &App,
    difference: &Difference<ConversationSnapshot>,
    is_filtered: bool,
) -> Result<(), CliError> {
    let style = app.printer.style();
    match difference {
        Difference::New(conversation) => app.printer.print(conversation)?,
        // A terminal does not show every attribute, such as the read position.
        Difference::Changed(before, after) if before.show(style) == after.show(style) => {
            app.printer.print_json(after)?;
        }
        Difference::Changed(_, after) => app.printer.print(after)?,
        Difference::Removed(conversation, reason) => {
            let removed = &conversation.id;
            let reason = match reason {
                Some(reason) => *reason,
                None if is_filtered => reason_of(app, removed.as_str()).await?,
                None => RemovalReason::Left,
            };
            let title = conversation.subject.as_deref().unwrap_or(removed.as_str());
            let text = || {
                let text = format!("{}: “{}”", reason_text(reason), sanitize::line(title));
                style.paint(Paint::Dim, &text)
            };
            app.printer.print_as(&Removed { removed, reason }, text)?;
        }
    }
    Ok(())
}

/// Returns the reason for which a conversation is no longer in a filtered list.
async fn reason_of(app: &App, conversation: &str) -> Result<RemovalReason, Error> {
    let conversation = app.conversation(conversation)?;
    loop {
        match conversation.get().await {
            Ok(Some(_)) => return Ok(RemovalReason::Filtered),
            Ok(None) => return Ok(RemovalReason::Left),
            // The connection was lost again.
            Err(Error::Transport(error)) if error.retry_safety() == RetrySafety::Safe => {}
            Err(error) => return Err(error),
        }
    }
}
