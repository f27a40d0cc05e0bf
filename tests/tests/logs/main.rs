//! The logs contain the events of a session. No dependency logs tokens or texts, at any level, on
//! any runtime: neither through `tracing` nor through `log`. The emulator runs in the same process.
//!
//! The test runs in a process of its own, because it sets the loggers of the process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::future::poll_fn;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures_util::StreamExt;
use log::{LevelFilter, Log, Metadata, Record};
use talk_client::inbox::{Delivery, InboxStart, RunOptions};
use talk_client::net::ProxyOptions;
use talk_client::{
    ConversationParams, SendMessage, Session, TalkOptions, UploadMetadata, UserParams,
};
use talk_emulator::Emulator;
use tracing_subscriber::fmt::format::FmtSpan;

mod secured;

use self::secured::{HOST, Secured};

/// Part of every string that must not be logged.
const PLANTED: &str = "xyzzy-plugh";

/// Parts of the events of a session.
const EVENTS: [&str; 11] = [
    "talk_session{app=app user=",
    "kind=\"send_message\"",
    "outcome=\"refused\"",
    "connected",
    "the connection is lost",
    "frame sent bytes=",
    "frame received bytes=",
    "HTTP request",
    "the token has a problem: it is no JSON Web Token",
    "a handler has failed finally",
    "the session was shut down",
];

/// Collects everything that is logged.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// Returns everything logged since the last call.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log for Output {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut writer = self.clone();
        let (level, target, message) = (record.level(), record.target(), record.args());
        writeln!(writer, "{level} {target}: {message}").unwrap();
    }

    fn flush(&self) {}
}

/// Returns the lines that hold the planted string, as text, as bytes in decimal or as hexadecimal
/// digits.
fn leaks(output: &str) -> Vec<&str> {
    let mut hex = String::new();
    let mut decimal = String::new();
    for byte in PLANTED.bytes() {
        write!(hex, "{byte:02x}").unwrap();
        write!(decimal, "{byte}, ").unwrap();
    }
    let forms = [
        PLANTED,
        &hex,
        &hex.to_uppercase(),
        decimal.trim_end_matches(", "),
    ];
    let is_leak = |line: &&str| forms.iter().any(|form| line.contains(form));
    output.lines().filter(is_leak).collect()
}

/// Makes calls that carry the planted string in names, messages, queries and files.
async fn use_session(session: Session, drop_connections: impl AsyncFnOnce()) {
    let name = format!("{PLANTED} name");
    session
        .current_user()
        .set(UserParams::named(name))
        .await
        .unwrap();
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
    search.set_query(PLANTED, None).await.unwrap();
    let file = format!("{PLANTED} content").into_bytes();
    let upload = session.upload_file(file, UploadMetadata::named(format!("{PLANTED}.txt")));
    upload.await.unwrap();
    fail_handler(&session).await;
    session.set_token(format!("{PLANTED} second token"));
    drop_connections().await;
    sent.edit(format!("{PLANTED} edited again")).await.unwrap();
    assert!(messages.next().await.is_some());
    session.shutdown().await;
}

/// Runs a handler that fails once, with the text of its message.
async fn fail_handler(session: &Session) {
    let inbox = session
        .inbox("bot")
        .own(true)
        .start(InboxStart::Beginning)
        .open()
        .await
        .unwrap();
    let has_failed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&has_failed);
    // It is polled after each failure.
    let signal = poll_fn(move |_| match seen.load(Ordering::Relaxed) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    });
    let options = RunOptions::new(1)
        .tries(1)
        .on_failure(move |_| has_failed.store(true, Ordering::Relaxed))
        .graceful_shutdown(signal);
    let handled = inbox.run(options, |delivery: Delivery| async move {
        Err::<(), _>(delivery.message.plaintext())
    });
    handled.await.unwrap();
}

#[test]
fn logs_of_all_dependencies_contain_no_secrets() {
    let output = Output::default();
    let writer = output.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    log::set_boxed_logger(Box::new(output.clone())).unwrap();
    log::set_max_level(LevelFilter::Trace);

    let servers = tokio::runtime::Runtime::new().unwrap();
    let emulator = servers.block_on(async { Emulator::start().await.unwrap() });
    let secured = servers.block_on(Secured::start(emulator.host().to_owned()));
    let options = |user: &str| {
        TalkOptions::new("app", user)
            .unwrap()
            .token(format!("{PLANTED} token of {user}"))
    };
    let plain = |user: &str| options(user).host(emulator.host());
    let by_tls_and_proxy = |user: &str| {
        let proxy = format!("http://me:{PLANTED}@{}", secured.proxy);
        options(user)
            .host(HOST)
            .tls(secured.tls.clone())
            .proxy(ProxyOptions::url(&proxy).unwrap())
    };
    let restart = async || emulator.restart(false).await.unwrap();

    let check = |runtime: &str| {
        log::trace!("a record of log");
        tracing::trace!("an event of tracing");
        let output = output.take();
        assert!(output.contains("a record of log"));
        assert!(output.contains("an event of tracing"));
        for event in EVENTS {
            assert!(output.contains(event), "{runtime}: {event:?} is missing");
        }
        let leaks = leaks(&output);
        assert!(leaks.is_empty(), "{runtime}: {leaks:#?}");
    };
    type Make = fn(TalkOptions) -> Session;
    let on_tokio: Make = |options| talk_tokio::get_talk_session(options).unwrap();
    let on_async_std: Make = |options| talk_async_std::get_talk_session(options).unwrap();
    let on_smol: Make = |options| talk_smol::get_talk_session(options).unwrap();
    let scenario = |make: Make, user: &'static str| {
        let (first, second) = (plain(user), by_tls_and_proxy(user));
        async move {
            use_session(make(first), restart).await;
            use_session(make(second), restart).await;
        }
    };
    let tokio = tokio::runtime::Runtime::new().unwrap();
    tokio.block_on(scenario(on_tokio, "tokio"));
    check("tokio");
    async_std::task::block_on(scenario(on_async_std, "async-std"));
    check("async-std");
    smol::block_on(scenario(on_smol, "smol"));
    check("smol");

    let eve = "eve\nforged line\u{1b}[2J\u{202e}";
    tokio.block_on(async {
        let session = on_tokio(plain(eve));
        let unknown = session.conversation(eve).unwrap();
        assert!(unknown.mark_as_read().await.is_err());
        session.shutdown().await;
    });
    let output = output.take();
    assert!(output.contains("user=eve\\n"), "the ID is missing");
    assert!(!output.contains(['\u{1b}', '\u{202e}']), "an ID is raw");
    assert!(!output.lines().any(|line| line.starts_with("forged")));
}
