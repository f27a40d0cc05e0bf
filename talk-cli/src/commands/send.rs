//! `talk send`: a message.

use std::io::{self, Read};

use serde::Serialize;
use talk_tokio::{MessageId, SendMessage, TalkOptions};

use super::app::{Common, run};
use super::fields::key_value;
use crate::exit::Outcome;

/// What `talk send` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    conversation: String,
    /// The text, in which *bold*, _italic_ and so on are understood; - reads it from standard input
    text: String,
    /// The ID of the message to reply to
    #[arg(long, value_name = "MESSAGE")]
    reply_to: Option<String>,
    /// Custom data of the message
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    custom: Vec<(String, String)>,
    #[command(flatten)]
    common: Common,
}

/// Sends it, and prints the ID that it got.
pub(crate) fn run_send(options: Options, session: TalkOptions) -> Outcome {
    run(session, &options.common, async |app| {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Sent<'a> {
            message_ref: &'a MessageId,
        }
        let mut message = SendMessage::text(read_text(options.text)?);
        if let Some(id) = options.reply_to {
            message = message.reply_to(MessageId::new(id).map_err(talk_tokio::Error::from)?);
        }
        for (key, value) in options.custom {
            message = message.custom(key, value);
        }
        let sent = app
            .conversation(&options.conversation)?
            .send(message)
            .await?;
        let sent = Sent {
            message_ref: sent.id(),
        };
        app.printer
            .print_as(&sent, || sent.message_ref.to_string())?;
        Ok(())
    })
}

/// The text itself, or what stands on standard input.
pub(crate) fn read_text(text: String) -> io::Result<String> {
    if text != "-" {
        return Ok(text);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
