//! Closes of all kinds except the regular one.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::attack::{frame, opened, sending};
use super::survive::{all_survive, case, survives};
use crate::adapters::adapter::Adapter;

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, [&code.to_be_bytes(), reason].concat())
}

/// The server sends a close frame and waits until the client closes the connection.
async fn close_with_any_code_is_reported<A: Adapter>() {
    let codes = [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 3000, 4999];
    all_survive::<A>(codes.map(|code| {
        let attack = sending(close(code, b"bye"));
        case(
            "a good code",
            "the server closed the connection with code",
            attack,
        )
    }))
    .await;
    all_survive::<A>([case(
        "no code",
        "the server closed the connection",
        sending(frame(CLOSE, "")),
    )])
    .await;
}

async fn close_malformed_ends_connection<A: Adapter>() {
    let reserved = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX];
    let broken = "the server broke the WebSocket protocol";
    all_survive::<A>(reserved.map(|code| case("a bad code", broken, sending(close(code, b"")))))
        .await;
    all_survive::<A>([
        case("half a code", broken, sending(frame(CLOSE, [3]))),
        case("no UTF-8", broken, sending(close(1000, b"\xff"))),
        case("a long reason", broken, sending(close(1000, &[b'x'; 124]))),
    ])
    .await;
}

async fn close_frame_ends_reading<A: Adapter>() {
    // An answer to the first request, which the session must ignore after the close.
    let refusal = frame(TEXT, r#"[0,401,{"errorCode":"NOPE","reasons":[]}]"#);
    let attack = sending([close(1001, b""), refusal].concat());
    let reason = "the server closed the connection with code 1001";
    survives::<A>(case("an answer after the close", reason, attack)).await;
}

async fn close_unconfirmed_does_not_block<A: Adapter>() {
    // The server reads neither the client's close frame nor the end of the connection.
    let attack = opened(async |mut stream: TcpStream| {
        stream.write_all(&close(1012, b"")).await.unwrap();
        std::future::pending::<()>().await;
    });
    let reason = "the server closed the connection with code 1012";
    survives::<A>(case("a close, and silence", reason, attack)).await;
}

async fn close_within_a_message_is_reported<A: Adapter>() {
    let attack = sending([frame(0x01, "[0,200,"), close(1001, b"")].concat());
    let reason = "the server closed the connection with code 1001";
    survives::<A>(case("a close within fragments", reason, attack)).await;
}

on_every_runtime!(
    close_with_any_code_is_reported,
    close_malformed_ends_connection,
    close_frame_ends_reading,
    close_unconfirmed_does_not_block,
    close_within_a_message_is_reported,
);
