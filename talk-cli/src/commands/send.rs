//! `talk send`: sends a message or a file.

use std::future::pending;
use std::io::{self, Read};
use std::path::PathBuf;

use futures_util::StreamExt;
use serde::Serialize;
use talk_tokio::outbox::{Enqueue, EntryId, OutboxEntry};
use talk_tokio::{ContentBlock, ConversationRef, MessageId, MessageRef, SendMessage};
use tokio::time::timeout;

use super::app::{App, run};
use super::fields::key_value;
use super::outbox::is_stuck;
use super::upload::{About, Uploads, unless_stopped};
use crate::exit::{CliError, Outcome};
use crate::session_plan::SessionPlan;
use crate::terminal::{sanitize, stage};

/// The arguments of `talk send`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The ID of the conversation
    conversation: String,
    /// The text with markup such as *bold* and _italic_; - reads it from standard input
    #[arg(required_unless_present = "file", allow_hyphen_values = true)]
    text: Option<String>,
    /// Send a file instead of text. With --queue, it must stay in its place until it is uploaded
    #[arg(long, conflicts_with = "text")]
    file: Option<PathBuf>,
    #[command(flatten)]
    about: About,
    /// The ID of the message to reply to
    #[arg(long, value_name = "MESSAGE")]
    reply_to: Option<String>,
    /// Custom data of the message
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    custom: Vec<(String, String)>,
    /// Put the message into the outbox of --store, from which `rpc` and `outbox send` send it.
    /// Works without a connection, and prints the ID of the entry
    #[arg(long)]
    queue: bool,
    /// Send the queued message, after those of its conversation that were queued before, and print
    /// the ID of the message
    #[arg(long, requires = "queue")]
    wait: bool,
}

/// Sends the message, and prints its ID.
pub(crate) fn run_send(options: Options, session: SessionPlan) -> Outcome {
    let session = match options.queue {
        true => {
            session.require_store("--queue")?;
            session.with_paused_outbox()
        }
        false => session,
    };
    run(session, async |app| {
        let uploads = options.file.is_some() && !options.queue;
        let sending = send(app, options);
        match uploads {
            true => unless_stopped(sending).await,
            false => sending.await,
        }
    })
}

async fn send(app: &App, options: Options) -> Result<(), CliError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent<'a> {
        message_ref: &'a MessageId,
    }
    let conversation = app.conversation(&options.conversation)?;
    let mut queued = None;
    let mut message = match (options.file, options.text) {
        (Some(file), _) if options.queue => {
            queued = Some(options.about.queued(&file)?);
            SendMessage::content([])
        }
        (Some(file), _) => {
            let files = [file];
            let uploaded = Uploads::new(app).make(&files, &options.about).await?;
            let blocks = uploaded
                .iter()
                .map(|it| ContentBlock::file(it.token.as_str()));
            SendMessage::content(blocks.collect::<Vec<_>>())
        }
        (None, _) if options.about.is_given() => {
            let flags = "--as, --probe, --width, --height and --duration need --file";
            return Err(CliError::Usage(flags.to_owned()));
        }
        (None, text) => SendMessage::text(read_text(text.unwrap_or_default())?),
    };
    if let Some(id) = options.reply_to {
        message = message.reply_to(MessageId::new(id).map_err(talk_tokio::Error::from)?);
    }
    for (key, value) in options.custom {
        message = message.custom(key, value);
    }
    if options.queue {
        let message = queued.into_iter().fold(message.into(), Enqueue::file);
        return queue(app, &conversation, message, options.wait).await;
    }
    let sent = conversation.send(message).await?;
    let sent = Sent {
        message_ref: sent.id(),
    };
    app.printer
        .print_as(&sent, || sanitize::line(sent.message_ref.as_str()))?;
    Ok(())
}

/// Puts the message into the outbox, and prints the ID of the entry.
async fn queue(
    app: &App,
    conversation: &ConversationRef,
    message: Enqueue,
    wait: bool,
) -> Result<(), CliError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Queued<'a> {
        entry: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        message_ref: Option<&'a str>,
    }
    match wait {
        true => conversation.resume_outbox().await?,
        // Another command sends it.
        false => conversation.pause_outbox().await?,
    }
    let entry = conversation.enqueue(message);
    let id = entry.stored().await?;
    let sent = match wait {
        true => Some(until_sent(app, &entry, &id).await),
        false => None,
    };
    // After an error, the ID of the entry is printed, because the entry may be in the outbox.
    let queued = Queued {
        entry: id.as_str(),
        message_ref: match &sent {
            Some(Ok(message)) => Some(message.id().as_str()),
            _ => None,
        },
    };
    let shown = queued.message_ref.unwrap_or(queued.entry);
    app.printer.print_as(&queued, || sanitize::line(shown))?;
    sent.transpose().map(drop)
}

/// Waits until an entry is sent, or cannot be sent without a decision of the user.
async fn until_sent(app: &App, entry: &OutboxEntry, id: &EntryId) -> Result<MessageRef, CliError> {
    let mut entries = app.session.subscribe_outbox();
    let stuck = async {
        while let Some(update) = entries.next().await {
            let mut entries = update.snapshot.iter();
            if let Some(entry) = entries.find(|entry| entry.id == *id && is_stuck(entry)) {
                return stage(entry);
            }
        }
        pending().await
    };
    let sent = async {
        tokio::select! {
            biased;
            sent = entry.sent() => Ok(sent?),
            reason = stuck => Err(CliError::NotSent(reason)),
        }
    };
    match timeout(app.timeout, sent).await {
        Ok(sent) => sent,
        Err(_) => Err(app.late(true).into()),
    }
}

/// Returns the text, or the standard input if the text is `-`.
pub(super) fn read_text(text: String) -> io::Result<String> {
    if text != "-" {
        return Ok(text);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
