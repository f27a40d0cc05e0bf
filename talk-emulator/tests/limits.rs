//! Peers that send too much, too little or the wrong bytes.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use talk_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::Socket;

/// Much longer than any step takes.
const TIMEOUT: Duration = Duration::from_secs(60);

const MIB: usize = 1024 * 1024;

/// Opens a WebSocket whose frames are written by the test.
async fn raw_socket(emulator: &Emulator) -> TcpStream {
    let mut stream = TcpStream::connect(emulator.host()).await.unwrap();
    let head = format!(
        "GET /public_api/v1/app/realtime/alice HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        emulator.host()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    stream
}

/// Returns the header of a masked frame. The mask is zero, so that the payload is not changed.
fn header(first: u8, length: usize) -> Vec<u8> {
    let mut header = vec![first, 0x80 | 127];
    header.extend((length as u64).to_be_bytes());
    header.extend([0; 4]);
    header
}

const TEXT: u8 = 0x81;

/// Returns the code of the close frame that ends the connection.
async fn close_code(mut stream: TcpStream) -> Option<u16> {
    let mut received = Vec::new();
    // The connection may be reset after the close frame.
    let _ = timeout(TIMEOUT, stream.read_to_end(&mut received))
        .await
        .unwrap();
    match received[..] {
        [0x88, length, high, low, ..] if length >= 2 => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}

#[tokio::test]
async fn socket_protocol_error_is_closed_with_code() {
    let emulator = Emulator::start().await.unwrap();
    for (bytes, code) in [
        // A reserved opcode.
        (vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        // A length in more bytes than it needs.
        ([header(TEXT, 2), b"hi".to_vec()].concat(), 1002),
        // A frame that is not masked.
        (vec![TEXT, 0x01, b'x'], 1002),
        // Invalid UTF-8.
        (vec![TEXT, 0x82, 0, 0, 0, 0, 0xC3, 0x28], 1007),
        (header(TEXT, 33 * MIB), 1009),
    ] {
        let mut stream = raw_socket(&emulator).await;
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(close_code(stream).await, Some(code));
    }
}

#[tokio::test]
async fn sockets_unfinished_messages_are_bounded() {
    let emulator = Emulator::start().await.unwrap();
    let mut healthy = Socket::ready(&emulator, "app", "bob").await;
    let part = vec![b'x'; 4 * MIB];
    let mut streams = Vec::new();
    for _ in 0..40 {
        let mut stream = raw_socket(&emulator).await;
        stream.write_all(&header(TEXT, 31 * MIB)).await.unwrap();
        // The write fails once the emulator has closed the connection.
        let _ = timeout(TIMEOUT, stream.write_all(&part)).await.unwrap();
        assert_eq!(healthy.call("GET", "/ping", json!({})).await.0, 200);
        streams.push(stream);
    }
    let mut open = 0;
    for mut stream in streams {
        let mut byte = [0];
        let read = timeout(Duration::from_millis(20), stream.read(&mut byte));
        open += usize::from(read.await.is_err());
    }
    assert!(open <= 17, "{open} connections hold 4 MiB each");
    assert!(open >= 10, "only {open} connections were kept");
    // The memory of the closed connections is free again.
    let name = json!({ "name": "x".repeat(8 * MIB) });
    let mut large = Socket::ready(&emulator, "app", "carol").await;
    assert_eq!(large.call("PUT", "/users/carol", name).await.0, 200);
}

#[tokio::test]
async fn stalled_peers_are_closed() {
    let emulator = Emulator::builder()
        .stall_timeout(Duration::from_millis(300))
        .start()
        .await
        .unwrap();
    let mut head = TcpStream::connect(emulator.host()).await.unwrap();
    head.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut message = raw_socket(&emulator).await;
    message.write_all(&header(TEXT, 2 * MIB)).await.unwrap();
    message.write_all(&vec![b'x'; MIB]).await.unwrap();
    for mut stream in [head, message] {
        let mut rest = Vec::new();
        // The connection has ended, by a close or a reset.
        let _ = timeout(TIMEOUT, stream.read_to_end(&mut rest))
            .await
            .unwrap();
    }
    // A connection that has nothing to send is not stalled.
    let mut idle = Socket::ready(&emulator, "app", "alice").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(idle.call("GET", "/ping", json!({})).await.0, 200);
}
