//! Writes every message of every conversation of a user as lines of JSON, oldest first.
//!
//! ```text
//! cargo run -p talk-examples --bin export_history -- 127.0.0.1:4000 alice > history.jsonl
//! ```

use std::io::{BufWriter, Write};
use std::{env, io};

use futures_util::TryStreamExt;
use serde_json::json;
use talk_tokio::{Session, TalkOptions, get_talk_session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: export_history HOST:PORT USER";
    let (host, user) = (
        env::args().nth(1).ok_or(usage)?,
        env::args().nth(2).ok_or(usage)?,
    );
    let session = get_talk_session(TalkOptions::new("my_app", user)?.host(&host))?;
    let mut out = BufWriter::new(io::stdout());
    let count = export(&session, &mut out).await?;
    out.flush()?;
    eprintln!("{count} messages");
    Ok(())
}

/// Exports the conversations of a user one after the other, and returns the number of messages.
pub(crate) async fn export(
    session: &Session,
    out: &mut impl Write,
) -> Result<usize, Box<dyn std::error::Error>> {
    let mut count = 0;
    for conversation in session.all_conversations(None).await? {
        let mut history = session
            .conversation(&conversation.id)?
            .history()
            .oldest_first();
        while let Some(message) = history.try_next().await? {
            let line = json!({ "conversation": conversation.id, "message": &*message });
            writeln!(out, "{line}")?;
            count += 1;
        }
    }
    Ok(count)
}
