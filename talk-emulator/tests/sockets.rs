//! Connections: order, size, number, slowness, faults and the end.

#![allow(clippy::unwrap_used, clippy::disallowed_types)]

use std::io::{Read, Write};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use talk_emulator::{Emulator, StartError};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Socket, get};

/// Much longer than any step takes.
const TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn socket_answers_keep_request_order() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    let mut sent = Vec::new();
    for _ in 0..3_000 {
        sent.push(socket.request("GET", "/ping", json!({})).await);
    }
    for seq in sent {
        assert_eq!(socket.frame().await.unwrap(), json!([seq, 200, {}]));
    }
}

#[tokio::test]
async fn socket_before_authentication_is_401() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::open(&emulator, "app", "alice").await;
    let (status, _) = socket.call("GET", "/ping", json!({})).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn socket_path_ids_are_percent_decoded() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "my%20app", "a%2Fb%20%C3%A9").await;
    let (status, _) = socket
        .call("PUT", "/users/a%2Fb%20%C3%A9", json!({ "name": "Odd" }))
        .await;
    assert_eq!(status, 200);
    let (_, users) = socket
        .call(
            "GET",
            "/users",
            json!({ "ids": ["a/b é"], "includePrivateFields": false }),
        )
        .await;
    assert_eq!(users["a/b é"]["name"], "Odd");
    let (_, online) = socket
        .call("GET", "/users/a%2Fb%20%C3%A9/online", json!({}))
        .await;
    assert_eq!(online["isConnected"], true);
}

#[tokio::test]
async fn socket_20_mb_frame_is_accepted() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    let garbage = "x".repeat(20 * 1024 * 1024);
    socket
        .request("GET", "/ping", json!({ "unknown": garbage }))
        .await;
    assert_eq!(socket.frame().await.unwrap()[1], 200);
}

#[tokio::test]
async fn socket_malformed_frame_is_skipped() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    for text in [
        "",
        "{",
        "{}",
        "[]",
        "[1]",
        "null",
        "[\"a\",\"b\",3]",
        "\u{0}",
        "[0,\"GET\"]",
    ] {
        socket.text(text.to_owned()).await;
    }
    let (status, _) = socket.call("GET", "/ping", json!({})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn sockets_300_work_concurrently() {
    let emulator = Emulator::start().await.unwrap();
    let mut sockets = Vec::new();
    for i in 0..300 {
        sockets.push(Socket::ready(&emulator, "app", &format!("user{i}")).await);
    }
    for socket in &mut sockets {
        assert_eq!(socket.call("GET", "/ping", json!({})).await.0, 200);
    }
}

/// Requests a user of 200 kB `times` times, without reading an answer.
async fn ask_without_reading(socket: &mut Socket, times: usize) -> Vec<u64> {
    let name = "x".repeat(200_000);
    let user = json!({ "name": "Alice", "custom": { "k": name } });
    socket.call("PUT", "/users/alice", user).await;
    let ask = json!({ "ids": ["alice"], "includePrivateFields": false });
    let mut asked = Vec::new();
    for _ in 0..times {
        asked.push(socket.request("GET", "/users", ask.clone()).await);
    }
    asked
}

#[tokio::test]
async fn socket_stopped_reader_is_closed() {
    let emulator = Emulator::builder()
        .stall_timeout(Duration::from_millis(400))
        .start()
        .await
        .unwrap();
    let mut other = Socket::ready(&emulator, "app", "bob").await;
    let mut slow = Socket::ready(&emulator, "app", "alice").await;
    // 600 answers of 200 kB exceed the send queue of the emulator and the buffers of the sockets.
    ask_without_reading(&mut slow, 600).await;
    other
        .call("SUBSCRIBE", "/users/alice/online", json!({}))
        .await;
    let offline = async {
        while other.call("GET", "/users/alice/online", json!({})).await.1["isConnected"] != false {
            other.frame().await.unwrap();
        }
    };
    timeout(TIMEOUT, offline).await.unwrap();
    let mut answers = 0;
    while slow.frame().await.is_some() {
        answers += 1;
    }
    assert!(answers < 600, "all {answers} answers were kept for it");
    assert_eq!(other.call("GET", "/ping", json!({})).await.0, 200);
}

#[tokio::test]
async fn socket_late_reader_gets_all_answers() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    let asked = ask_without_reading(&mut socket, 130).await;
    let ping = socket.request("GET", "/ping", json!({})).await;
    for seq in asked.into_iter().chain([ping]) {
        let answer = timeout(TIMEOUT, socket.frame()).await.unwrap().unwrap();
        assert_eq!((&answer[0], &answer[1]), (&json!(seq), &json!(200)));
    }
}

#[tokio::test]
async fn socket_large_answers_keep_connection() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    let custom = json!({ "k": "x".repeat(9 * 1024 * 1024) });
    let user = json!({ "name": "Alice", "custom": custom });
    assert_eq!(socket.call("PUT", "/users/alice", user).await.0, 200);
    let ask = json!({ "ids": ["alice"], "includePrivateFields": false });
    for _ in 0..3 {
        socket.request("GET", "/users", ask.clone()).await;
    }
    assert_eq!(socket.call("GET", "/ping", json!({})).await.0, 200);
}

#[tokio::test]
async fn drop_connections_sends_no_close_frame() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    emulator.drop_connections().await.unwrap();
    assert_eq!(timeout(TIMEOUT, socket.message()).await.unwrap(), None);
    let mut again = Socket::ready(&emulator, "app", "alice").await;
    assert_eq!(again.call("GET", "/ping", json!({})).await.0, 200);
}

#[tokio::test]
async fn refuse_connections_keeps_open_ones() {
    let emulator = Emulator::start().await.unwrap();
    let mut old = Socket::ready(&emulator, "app", "alice").await;
    emulator.refuse_connections(true);
    assert!(Socket::try_open(&emulator, "app", "bob").await.is_err());
    assert_eq!(old.call("GET", "/ping", json!({})).await.0, 200);
    emulator.refuse_connections(false);
    Socket::ready(&emulator, "app", "bob").await;
}

#[tokio::test]
async fn restart_planned_keeps_data() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    socket
        .call("PUT", "/users/alice", json!({ "name": "Alice" }))
        .await;
    emulator.restart(true).await.unwrap();
    let frame = timeout(TIMEOUT, socket.frame()).await.unwrap().unwrap();
    assert_eq!(frame[2]["type"], "upstream.restarting");
    assert_eq!(timeout(TIMEOUT, socket.frame()).await.unwrap(), None);
    let mut again = Socket::ready(&emulator, "app", "alice").await;
    let ask = json!({ "ids": ["alice"], "includePrivateFields": false });
    let (_, users) = again.call("GET", "/users", ask).await;
    assert_eq!(users["alice"]["name"], "Alice");
}

#[tokio::test]
async fn expire_tokens_notifies_and_refuses() {
    let emulator = Emulator::start().await.unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    emulator.expire_tokens().await.unwrap();
    let frame = timeout(TIMEOUT, socket.frame()).await.unwrap().unwrap();
    assert_eq!(frame[2]["type"], "session.expired");
    assert_eq!(socket.call("GET", "/ping", json!({})).await.0, 401);
    let renew = json!({ "token": "another" });
    assert_eq!(socket.call("POST", "/session/renew", renew).await.0, 200);
    assert_eq!(socket.call("GET", "/ping", json!({})).await.0, 200);
}

#[tokio::test]
async fn shutdown_closes_with_1001_and_frees_port() {
    let emulator = Emulator::start().await.unwrap();
    let port = emulator.port();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    let reader = tokio::spawn(async move { socket.message().await });
    emulator.shutdown().await;
    match reader.await.unwrap() {
        Some(Message::Close(Some(frame))) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("expected a close frame, got {other:?}"),
    }
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    Emulator::builder().port(port).start().await.unwrap();
}

#[tokio::test]
async fn start_used_port_error_names_it() {
    let emulator = Emulator::start().await.unwrap();
    let error = Emulator::builder()
        .port(emulator.port())
        .start()
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(&emulator.port().to_string()),
        "{error}"
    );
}

#[test]
fn start_without_runtime_is_error() {
    let error = futures_executor::block_on(Emulator::start()).unwrap_err();
    assert!(matches!(error, StartError::NoRuntime), "{error}");
}

#[test]
fn start_blocking_without_runtime_works() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut stream = std::net::TcpStream::connect(emulator.host()).unwrap();
    stream
        .write_all(b"GET /api/v0/app HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let settings = futures_executor::block_on(emulator.settings()).unwrap();
    assert_eq!(settings.origin, emulator.url());
    futures_executor::block_on(emulator.shutdown());
}

#[tokio::test]
async fn start_blocking_inside_runtime_works() {
    let emulator = Emulator::start_blocking().unwrap();
    let response = get(&emulator, "/api/v0/app").await;
    assert_eq!(response.body(), &Bytes::from_static(b"{}"));
    let error = Emulator::builder()
        .port(emulator.port())
        .start_blocking()
        .unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    emulator.shutdown().await;
}

#[tokio::test]
async fn inspect_reads_live_server() {
    let emulator = Emulator::start().await.unwrap();
    let origin = emulator
        .inspect(|server| server.settings().origin.clone())
        .await
        .unwrap();
    assert_eq!(origin, emulator.url());
    let response = get(&emulator, "/api/v0/app").await;
    assert_eq!(response.body(), &Bytes::from_static(b"{}"));
}
