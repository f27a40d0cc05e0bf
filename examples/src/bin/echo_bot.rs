//! A bot that answers each message of other users once, also after a burst and a lost connection.
//!
//! ```text
//! cargo run -p talk-examples --bin echo_bot -- 127.0.0.1:4000
//! ```

use std::env;
use std::sync::Arc;

use futures_util::StreamExt;
use talk_tokio::{
    ConversationRef, Error, MessageSnapshot, Session, Subscription, TalkOptions, Timestamp,
    UserParams, Window, get_talk_session,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = env::args().nth(1).ok_or("usage: echo_bot HOST:PORT")?;
    let session = get_talk_session(TalkOptions::new("my_app", "echo_bot")?.host(&host))?;
    let lobby = session.conversation("lobby")?;
    tokio::select! {
        outcome = run(&session, &lobby) => outcome?,
        stop = tokio::signal::ctrl_c() => stop?,
    }
    session.shutdown().await;
    Ok(())
}

/// Creates the bot's user, joins the conversation, and answers later messages.
pub(crate) async fn run(session: &Session, conversation: &ConversationRef) -> Result<(), Error> {
    let user = session.current_user();
    user.set(UserParams::named("Echo bot")).await?;
    conversation
        .create_if_not_exists(Default::default())
        .await?;

    // A bot that must answer the messages sent while it was not running stores this time.
    let mut handled = match conversation.get().await? {
        Some(joined) => joined.last_message_at,
        None => return Err(Error::NotAParticipant),
    };
    let mut messages = conversation.subscribe_messages();
    while messages.next().await.is_some() {
        for message in newer_than(&messages, handled).await? {
            handled = message.created_at;
            if let Some(answer) = answer(session, &message) {
                conversation.message(&message.id)?.reply(answer).await?;
            }
        }
    }
    messages.terminated().await
}

fn answer(session: &Session, message: &MessageSnapshot) -> Option<String> {
    let sender = message.sender_id.as_ref()?;
    (sender != session.user_id()).then(|| message.plaintext())
}

/// Returns the messages after `handled`, oldest first. Loads more if the window does not reach back
/// to that time, because many messages came at once.
async fn newer_than(
    messages: &Subscription<Option<Window<MessageSnapshot>>>,
    handled: Timestamp,
) -> Result<Vec<Arc<MessageSnapshot>>, Error> {
    loop {
        let Some(window) = messages.connected().await? else {
            return Ok(Vec::new());
        };
        let oldest = window.last();
        if window.loaded_all() || oldest.is_none_or(|oldest| oldest.created_at <= handled) {
            let newer = window
                .iter()
                .take_while(|message| message.created_at > handled);
            let mut newer: Vec<_> = newer.cloned().collect();
            newer.reverse();
            return Ok(newer);
        }
        messages.load_more(100).await?;
    }
}
