//! Sends a file to a conversation and shows the progress.
//!
//! ```text
//! cargo run -p talk-examples --bin send_file -- 127.0.0.1:4000 cat.png
//! ```

use std::env;
use std::path::Path;

use futures_util::StreamExt;
use futures_util::future::join;
use talk_tokio::{
    ConversationRef, Error, MessageRef, TalkOptions, UploadMetadata, UploadProgress, UploadSource,
    UserParams, get_talk_session,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: send_file HOST:PORT FILE";
    let (host, file) = (
        env::args().nth(1).ok_or(usage)?,
        env::args().nth(2).ok_or(usage)?,
    );
    let session = get_talk_session(TalkOptions::new("my_app", "alice")?.host(&host))?;
    let me = session.current_user();
    me.create_if_not_exists(UserParams::named("Alice")).await?;
    let lobby = session.conversation("lobby")?;
    lobby.create_if_not_exists(Default::default()).await?;

    let message = send(&lobby, Path::new(&file), |progress| {
        eprint!("\r{} of {} bytes", progress.sent, progress.total);
    })
    .await?;
    eprintln!();
    println!("{}", message.id());
    Ok(())
}

/// Uploads a file and sends it, and calls `show` with the progress.
pub(crate) async fn send(
    conversation: &ConversationRef,
    file: &Path,
    mut show: impl FnMut(UploadProgress),
) -> Result<MessageRef, Error> {
    let name = file
        .file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy();
    let mut metadata = UploadMetadata::named(name);
    if let Some(media_type) = media_type(file) {
        metadata = metadata.content_type(media_type);
    }
    let sending = conversation.send_file(UploadSource::file(file), metadata);
    let progress = sending.progress().for_each(|progress| {
        show(progress);
        std::future::ready(())
    });
    join(sending, progress).await.0
}

fn media_type(file: &Path) -> Option<&'static str> {
    let extension = file.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "mp4" => Some("video/mp4"),
        "ogg" => Some("audio/ogg"),
        _ => None,
    }
}
