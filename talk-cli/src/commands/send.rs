//! `talk send`: a message.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use talk_tokio::{ContentBlock, FileToken, MessageId, SendMessage, Session, UploadProgressStream};

use super::app::{Common, run};
use super::fields::key_value;
use crate::exit::{CliError, Outcome};
use crate::files;
use crate::session_plan::SessionPlan;

/// What `talk send` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    conversation: String,
    /// The text, in which *bold*, _italic_ and so on are understood; - reads it from standard input
    #[arg(required_unless_present = "file")]
    text: Option<String>,
    /// Send a file instead of a text
    #[arg(long, conflicts_with = "text")]
    file: Option<PathBuf>,
    /// What kind of file it is
    #[arg(long = "as", value_enum, default_value = "file", requires = "file")]
    kind: Kind,
    /// The ID of the message to reply to
    #[arg(long, value_name = "MESSAGE")]
    reply_to: Option<String>,
    /// Custom data of the message
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    custom: Vec<(String, String)>,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    File,
    Image,
    Video,
    Audio,
    Voice,
}

/// Sends it, and prints the ID that it got.
pub(crate) fn run_send(options: Options, session: SessionPlan) -> Outcome {
    run(session, &options.common, async |app| {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Sent<'a> {
            message_ref: &'a MessageId,
        }
        let conversation = app.conversation(&options.conversation)?;
        let mut message = match (options.file, options.text) {
            (Some(file), _) => {
                let token = upload(&app.session, &file, options.kind).await?;
                SendMessage::content([ContentBlock::file(token.as_str())])
            }
            (None, text) => SendMessage::text(read_text(text.unwrap_or_default())?),
        };
        if let Some(id) = options.reply_to {
            message = message.reply_to(MessageId::new(id).map_err(talk_tokio::Error::from)?);
        }
        for (key, value) in options.custom {
            message = message.custom(key, value);
        }
        let sent = conversation.send(message).await?;
        let sent = Sent {
            message_ref: sent.id(),
        };
        app.printer
            .print_as(&sent, || sent.message_ref.to_string())?;
        Ok(())
    })
}

/// The text itself, or what stands on standard input.
pub(super) fn read_text(text: String) -> io::Result<String> {
    if text != "-" {
        return Ok(text);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

async fn upload(session: &Session, path: &Path, kind: Kind) -> Result<FileToken, CliError> {
    let filename = files::filename(path)
        .ok_or_else(|| CliError::Usage(format!("{} is no file", path.display())))?;
    let metadata = files::metadata(&filename);
    let upload = match kind {
        Kind::File => session.upload_file(path, metadata),
        Kind::Image => session.upload_image(path, metadata),
        Kind::Video => session.upload_video(path, metadata),
        Kind::Audio => session.upload_audio(path, metadata),
        Kind::Voice => session.upload_voice(path, metadata),
    };
    let progress = upload.progress();
    let (token, ()) = futures_util::future::join(upload, show(progress)).await;
    Ok(token?)
}

/// Shows how far an upload is, where somebody looks.
async fn show(mut progress: UploadProgressStream) {
    if !io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    while let Some(now) = progress.next().await {
        bar.set_length(now.total);
        bar.set_position(now.sent);
    }
    bar.finish_and_clear();
}
