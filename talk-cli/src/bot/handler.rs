//! The handling of one message.

use std::io;
use std::time::Duration;

use serde::Serialize;
use talk_tokio::inbox::{Delivery, HandlerError};
use talk_tokio::outbox::EntryId;
use talk_tokio::{CommandError, ConversationId, Error, MessageId, SendMessage};
use tokio::time::sleep;

use super::command::{BotCommand, CommandFailure, Input};
use crate::terminal::Printer;

/// The delay before an answer is offered again to an outbox that was full.
const FULL_OUTBOX_RETRY: Duration = Duration::from_secs(1);

/// The handler of messages.
pub(super) struct Handler {
    pub(super) command: BotCommand,
    pub(super) printer: Printer,
    pub(super) is_reply: bool,
    pub(super) shows_typing: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum HandlerFailure {
    #[error(transparent)]
    Command(#[from] CommandFailure),
    #[error(transparent)]
    Talk(#[from] Error),
    #[error("the message is no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Returns the reason for which the command could not be started, if this is the failure.
pub(super) fn start_error(error: &HandlerError) -> Option<&io::Error> {
    let HandlerError::Failed(error) = error else {
        return None;
    };
    match error.downcast_ref()? {
        HandlerFailure::Command(CommandFailure::Start(error)) => Some(error),
        _ => None,
    }
}

impl Handler {
    /// Runs the command for a message, and stores its answer.
    pub(super) async fn handle(&self, delivery: Delivery) -> Result<(), HandlerFailure> {
        let input = input(&delivery)?;
        let typing = self
            .shows_typing
            .then(|| delivery.conversation_ref().typing());
        let output = self.command.run(&input).await?;
        drop(typing);
        let entry = match output.trim() {
            "" => {
                delivery.ack().await?;
                None
            }
            answer => Some(self.answer(&delivery, answer).await?),
        };
        print_line(self.printer, &delivery, entry.as_ref());
        Ok(())
    }

    /// Stores the answer and the acknowledgement of the message in one write.
    async fn answer(&self, delivery: &Delivery, answer: &str) -> Result<EntryId, Error> {
        let mut message = SendMessage::text(answer);
        if self.is_reply {
            message = message.reply_to(delivery.message.id.clone());
        }
        let mut is_reported = false;
        loop {
            match delivery.reply(message.clone()).await {
                // Only the reply is retried. The command has already run, and its effects must not
                // be repeated.
                Err(error @ Error::Usage(CommandError::OutboxFull { .. })) => {
                    if !is_reported {
                        self.printer.notice(&error.to_string());
                        is_reported = true;
                    }
                    sleep(FULL_OUTBOX_RETRY).await;
                }
                answered => return answered?.stored().await,
            }
        }
    }
}

fn input(delivery: &Delivery) -> Result<Input, serde_json::Error> {
    #[derive(Serialize)]
    struct Line<'a, C, M> {
        conversation: &'a C,
        message: &'a M,
    }
    let (conversation, message) = (&*delivery.conversation, &*delivery.message);
    let line = serde_json::to_string(&Line {
        conversation,
        message,
    })?;
    let sender = message.sender_id.as_ref();
    let variables = [
        ("TALK_CONVERSATION", conversation.id.to_string()),
        ("TALK_MESSAGE", message.id.to_string()),
        (
            "TALK_SENDER",
            sender.map(ToString::to_string).unwrap_or_default(),
        ),
        ("TALK_TEXT", message.plaintext()),
    ];
    Ok(Input::new(line, variables))
}

/// Prints the line of a completed message if `--json` is set.
pub(super) fn print_line(printer: Printer, delivery: &Delivery, answer: Option<&EntryId>) {
    #[derive(Serialize)]
    struct Line<'a> {
        conversation: &'a ConversationId,
        message: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<&'a EntryId>,
        tries: u32,
    }
    let line = Line {
        conversation: &delivery.conversation.id,
        message: &delivery.message.id,
        answer,
        tries: delivery.attempt(),
    };
    match printer.print_json(&line) {
        // The bot stops when the reader has closed the output.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            printer.notice(&format!("the output cannot be written: {error}"));
        }
        _ => {}
    }
}
