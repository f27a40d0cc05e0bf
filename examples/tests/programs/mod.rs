//! Every example against an emulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

#[path = "../../src/bin/desktop_ui.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod desktop_ui;
#[path = "../../src/bin/export_history.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod export_history;
mod faults;
#[path = "../../src/bin/metrics.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod metrics;
#[path = "../../src/bin/order_back_end.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod order_back_end;
#[path = "../../src/bin/send_file.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod send_file;
mod shop;
#[path = "../../src/bin/support_bot.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod support_bot;
#[path = "../../src/bin/token_refresh.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod token_refresh;
#[path = "../../src/bin/web_backend.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod web_backend;

use std::future::Future;
use std::thread;
use std::time::Duration;

use talk_emulator::server::Settings;
use talk_emulator::{Emulator, Seed};
use talk_tokio::{ContentBlock, FileSubtype, TalkOptions, get_talk_session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Fails a test that hangs.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("it ends within a minute")
}

fn lobby() -> Seed {
    Seed::new("my_app")
        .user("alice", "Alice")
        .user("bob", "Bob")
        .conversation("lobby", ["alice", "bob"])
}

async fn emulator() -> Emulator {
    Emulator::builder()
        .initial_data(lobby())
        .start()
        .await
        .unwrap()
}

fn options(emulator: &Emulator, user: &str) -> TalkOptions {
    TalkOptions::new("my_app", user)
        .unwrap()
        .host(emulator.host())
}

async fn wait_for_messages(emulator: &Emulator, count: usize) {
    let there = emulator.wait_for(move |server| server.messages("my_app", "lobby").len() >= count);
    within(there).await.unwrap();
}

fn with_secret(key: &str) -> Settings {
    Settings {
        secret: Some(key.to_owned()),
        ..Settings::default()
    }
}

#[tokio::test]
async fn web_backend_checks_sends_and_streams() {
    let emulator = Emulator::builder()
        .settings(with_secret("sk_test"))
        .initial_data(lobby())
        .start()
        .await
        .unwrap();
    let logins = [("key-of-alice", "alice"), ("key-of-carol", "carol")];
    let host = emulator.host().to_owned();
    let backend = web_backend::Backend::new(host, "sk_test".into(), logins).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(backend.serve(listener, async { drop(stopped.await) }));

    let request = |line: &str, key: &str, body: &str| {
        let length = body.len();
        let text = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        open(address.clone(), text)
    };
    let mut unknown = request("GET /token", "guessed", "").await;
    read_until(&mut unknown, "401 Unauthorized").await;
    let mut token = request("GET /token", "key-of-alice", "").await;
    read_until(&mut token, "\r\n\r\neyJ").await;
    let mut outsider = request("GET /lobby/events", "key-of-carol", "").await;
    read_until(&mut outsider, "403 Forbidden").await;

    let mut events = request("GET /lobby/events", "key-of-alice", "").await;
    read_until(&mut events, "data: []").await;
    let mut sent = request("POST /lobby/messages", "key-of-alice", "Hello, *world*!").await;
    read_until(&mut sent, "msg_").await;
    read_until(&mut events, r#""plaintext":"Hello, world!""#).await;

    // The signal ends the streams. The server stops after its last stream.
    drop((unknown, token, outsider, sent));
    stop.send(()).unwrap();
    let mut rest = Vec::new();
    within(events.read_to_end(&mut rest)).await.unwrap();
    within(server).await.unwrap().unwrap();
}

async fn open(address: String, request: String) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut TcpStream, expected: &str) {
    let mut received = String::new();
    let mut buffer = [0; 4096];
    while !received.contains(expected) {
        let length = within(stream.read(&mut buffer)).await.unwrap();
        assert!(length > 0, "no {expected:?} in {received:?}");
        received.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
}

#[test]
fn desktop_ui_draws_without_waiting() {
    let emulator = Emulator::builder()
        .initial_data(lobby().message("lobby", "bob", "Hello"))
        .start_blocking()
        .unwrap();
    let mut view = desktop_ui::ChatView::open(emulator.host(), "alice", "lobby").unwrap();
    let mut draw_until = |expected: &[&str], sent: Option<&str>| {
        if let Some(text) = sent {
            view.send(text.to_owned());
        }
        for _ in 0..6000 {
            if view.frame() == expected {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(view.frame(), expected);
    };
    draw_until(&["Bob: Hello"], None);
    draw_until(&["Bob: Hello", "Alice: Hi, Bob"], Some("Hi, *Bob*"));
    emulator.refuse_connections(true);
    draw_until(&["Bob: Hello", "Alice: Hi, Bob"], None);
}

#[tokio::test]
async fn send_file_shows_progress() {
    let emulator = emulator().await;
    let lobby = get_talk_session(options(&emulator, "alice")).unwrap();
    let lobby = lobby.conversation("lobby").unwrap();
    let file = std::env::temp_dir().join(format!("talk-example-{}.png", std::process::id()));
    std::fs::write(&file, vec![7; 200_000]).unwrap();
    let mut last = None;
    let sent = within(send_file::send(&lobby, &file, |progress| {
        last = Some(progress);
    }))
    .await;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        last.map(|last| (last.sent, last.total)),
        Some((200_000, 200_000))
    );
    let message = within(sent.unwrap().get()).await.unwrap().unwrap();
    let [ContentBlock::File(block)] = &*message.content else {
        panic!("not a file: {:?}", message.content);
    };
    assert_eq!(
        (&block.subtype, block.size),
        (&Some(FileSubtype::Image), Some(200_000))
    );
}

#[tokio::test]
async fn export_history_writes_every_message() {
    let seed = (0..70).fold(lobby(), |seed, i| {
        seed.message("lobby", "bob", i.to_string())
    });
    let seed = seed.conversation("empty", ["alice"]);
    let emulator = Emulator::builder()
        .initial_data(seed)
        .start()
        .await
        .unwrap();
    let session = get_talk_session(options(&emulator, "alice")).unwrap();
    let mut out = Vec::new();
    let count = within(export_history::export(&session, &mut out))
        .await
        .unwrap();
    assert_eq!(count, 70);
    let lines = String::from_utf8(out).unwrap();
    let texts = lines.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["conversation"], "lobby");
        line["message"]["plaintext"].as_str().unwrap().to_owned()
    });
    let expected = (0..70).map(|i| i.to_string());
    assert_eq!(texts.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn token_refresh_survives_failures_and_expiry() {
    let settings = with_secret("sk_test");
    let emulator = Emulator::builder()
        .settings(settings)
        .start()
        .await
        .unwrap();
    let backend = token_refresh::TokenServer::new("sk_test".into());
    let session = token_refresh::start(options(&emulator, "alice"), &backend).unwrap();
    within(session.connected()).await.unwrap();
    assert_eq!(backend.requests(), 2, "the first request failed");
    let me = session.current_user().subscribe();
    within(me.connected()).await.unwrap();
    emulator.expire_tokens().await.unwrap();
    within(session.current_user().get()).await.unwrap();
    assert_eq!(backend.requests(), 3);
    assert_eq!(session.error(), None);
}

#[tokio::test]
async fn metrics_serves_counters() {
    let emulator = emulator().await;
    let session = get_talk_session(options(&emulator, "alice")).unwrap();
    within(session.connected()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(metrics::serve(listener, vec![session.clone()]));
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut response = open(address, request.to_owned()).await;
    read_until(&mut response, "\ntalk_connected{user=\"alice\"} 1\n").await;
    let text = metrics::render(&[session]);
    assert!(
        text.contains("\ntalk_reconnects_total{user=\"alice\"} 0\n"),
        "{text}"
    );
    assert!(
        !text.contains("talk_bytes_sent_total{user=\"alice\"} 0\n"),
        "{text}"
    );
    server.abort();
}
