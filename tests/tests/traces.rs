//! The events of `tracing`: they contain the events of a session and no message text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use talk_emulator::Emulator;
use talk_tokio::{
    ConversationParams, SendMessage, SubscriptionState, TalkOptions, UploadMetadata, UserParams,
    get_talk_session,
};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// A marker in every string that must not be logged.
const PLANTED: &str = "xyzzy";

/// The whole log output.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Told {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn traces_contain_events_and_no_content() {
    let told = Told::default();
    let writer = told.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let emulator = Emulator::start().await.unwrap();
    let options = TalkOptions::new("app", "alice").unwrap();
    let options = options
        .host(emulator.host())
        .token(format!("{PLANTED} token"));
    let session = get_talk_session(options).unwrap();
    let name = UserParams::named(format!("{PLANTED} name"));
    session.current_user().set(name).await.unwrap();
    let lobby = session.conversation("lobby").unwrap();
    let params = ConversationParams::default().subject(format!("{PLANTED} subject"));
    lobby.set(params).await.unwrap();
    let mut messages = lobby.subscribe_messages();
    messages.connected().await.unwrap();

    let text = format!("{PLANTED} text");
    let message = SendMessage::text(text.as_str()).custom("key", text.as_str());
    let sent = lobby.send(message).await.unwrap();
    sent.edit(format!("{PLANTED} edited")).await.unwrap();
    let refused = session.conversation("nowhere").unwrap().send(text.as_str());
    assert!(refused.await.is_err());
    let search = session.search_messages();
    search.set_query(PLANTED, Default::default()).await.unwrap();
    let file = format!("{PLANTED} content").into_bytes();
    let upload = session.upload_file(file, UploadMetadata::named(format!("{PLANTED}.txt")));
    upload.await.unwrap();
    session.set_token(format!("{PLANTED} another token"));
    emulator.restart(false).await.unwrap();
    sent.edit(format!("{PLANTED} edited again")).await.unwrap();
    assert!(messages.next().await.is_some());
    assert!(matches!(messages.state(), SubscriptionState::Active(_)));
    session.shutdown().await;

    let told = told.text();
    for expected in [
        "talk_session{app=app user=alice}",
        "kind=\"send_message\"",
        "outcome=\"refused\"",
        "connected",
        "the connection is lost",
        "frame sent bytes=",
        "frame received bytes=",
        "HTTP request",
        "the token has a problem: it is no JSON Web Token",
        "the session was shut down",
    ] {
        assert!(
            told.contains(expected),
            "{expected:?} is missing in:\n{told}"
        );
    }
    let leaks: Vec<_> = told.lines().filter(|line| line.contains(PLANTED)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}
