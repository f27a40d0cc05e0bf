//! A bot that answers each question exactly once, even if the bot crashes.
//!
//! ```text
//! cargo run -p talk-examples --bin support_bot -- 127.0.0.1:4000 bot.talk
//! ```

use talk_tokio::inbox::{Delivery, InboxStart, RunOptions};
use talk_tokio::store::FileStore;
use talk_tokio::{Error, SendMessage, Session, TalkOptions, get_talk_session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let host = args.next().ok_or("the host is missing")?;
    let file = args.next().ok_or("the file of the store is missing")?;
    let options = TalkOptions::new("my_app", "support_bot")?.host(&host);
    let session = get_talk_session(options.store(FileStore::new(file)))?;
    Ok(run(session).await?)
}

/// Answers the messages in all conversations of the bot.
pub(crate) async fn run(session: Session) -> Result<(), Error> {
    let inbox = session.inbox("questions").start(InboxStart::Beginning);
    let options = RunOptions::new(8).on_failure(|failure| eprintln!("{failure}"));
    inbox.open().await?.run(options, answer).await
}

async fn answer(question: Delivery) -> Result<(), Error> {
    let text = match question.message.plaintext().to_lowercase() {
        text if text.contains("open") => "We are open from 9 to 17.",
        _ => "We have received your question.",
    };
    let answer = SendMessage::text(text).reply_to(question.message.id.clone());
    question.reply(answer).await.map(drop)
}
