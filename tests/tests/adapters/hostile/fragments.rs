//! Unusual but valid frames, which must not end the connection.

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::{Message, Role};
use futures_util::{AsyncWriteExt as _, StreamExt};
use talk_client::Limits;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::attack::{Attack, Taken, connected, frame, opened};
use super::front::Front;
use super::survive::survives_at;
use crate::adapters::adapter::Adapter;
use crate::adapters::server::answer_well;
use crate::adapters::transport::peer::read_request;

/// Answers every request properly. `around` turns each answer into frames.
pub(super) async fn answer_all(stream: TcpStream, around: impl Fn(&str) -> Vec<u8>) {
    let mut socket = WebSocketStream::from_raw_socket(stream.compat(), Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        if let Some(answer) = answer_well(text.as_str())
            && socket.get_mut().write_all(&around(&answer)).await.is_err()
        {
            return;
        }
    }
}

/// Splits a message into a fragment per byte, with `between` after each fragment.
fn in_pieces(text: &str, between: &[u8]) -> Vec<u8> {
    let (last, bytes) = text.as_bytes().split_last().unwrap();
    let mut frames = frame(0x01, "");
    for byte in bytes {
        frames.extend(frame(0x00, [*byte]));
        frames.extend_from_slice(between);
    }
    frames.extend(frame(0x80, [*last]));
    frames
}

async fn lives_on<A: Adapter>(name: &str, attack: Attack) {
    let front = Front::start(attack);
    let session = A::session(front.options());
    for _ in 0..3 {
        let call = session.current_user().set(Default::default());
        assert_eq!(call.await, Ok(()), "{name}");
    }
    assert_eq!(session.counters().reconnects, 0, "{name}");
}

async fn answers_byte_by_byte_are_read<A: Adapter>() {
    let attack = opened(|stream| answer_all(stream, |answer| in_pieces(answer, &[])));
    lives_on::<A>("pieces", attack).await;
    let between = [
        frame(0x89, ""),
        frame(0x89, [0; 125]),
        frame(0x8a, "a pong that nobody asked for"),
        frame(0x00, ""),
    ];
    let between = between.concat();
    let attack = opened(move |stream| {
        let between = between.clone();
        async move { answer_all(stream, |answer| in_pieces(answer, &between)).await }
    });
    lives_on::<A>("pieces with pings", attack).await;
}

async fn character_split_between_fragments_is_read<A: Adapter>() {
    let attack = opened(|stream| {
        answer_all(stream, |answer| {
            in_pieces(&answer.replace("{}", r#"{"é":"😀"}"#), &[])
        })
    });
    lives_on::<A>("characters", attack).await;
}

async fn fragments_meaningless_are_skipped<A: Adapter>() {
    let nonsense = [
        frame(0x81, ""),
        frame(0x81, "no JSON"),
        frame(0x81, "[".repeat(10_000)),
        frame(0x81, "null"),
        frame(0x81, r#"[18446744073709551616,200,{}]"#),
        frame(0x81, r#"[999,"PUBLISH","/nowhere",{},{}]"#),
        frame(0x82, [0; 1_000]),
        frame(0x02, [0xff]),
        frame(0x89, ""),
        frame(0x80, [0xff]),
        frame(0x8a, ""),
    ];
    let nonsense = nonsense.concat();
    let attack = opened(move |stream| {
        let nonsense = nonsense.clone();
        let around = move |answer: &str| {
            let answer = frame(0x81, answer);
            [&nonsense[..], &answer, &nonsense].concat()
        };
        async move { answer_all(stream, around).await }
    });
    lives_on::<A>("nonsense", attack).await;
}

async fn frames_in_the_read_of_the_upgrade_are_handled<A: Adapter>() {
    let attack = connected(async |mut stream| {
        let request = read_request(&mut stream).await;
        let key = request
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
            .unwrap();
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: {}\r\n\r\n",
            derive_accept_key(key.1.as_bytes())
        )
        .into_bytes();
        answer.extend(frame(0x89, "ping"));
        answer.extend(frame(0x81, "[]"));
        if stream.write_all(&answer).await.is_ok() {
            answer_all(stream, |answer| frame(0x81, answer)).await;
        }
    });
    lives_on::<A>("frames with the upgrade", attack).await;
}

async fn fragments_without_an_end_are_not_kept<A: Adapter>() {
    let taken = Taken::default();
    let fed = taken.clone();
    let attack = opened(move |mut stream| {
        let fed = fed.clone();
        async move {
            if stream.write_all(&frame(0x01, "[")).await.is_ok() {
                fed.feed(&mut stream, &frame(0x00, [b' '; 10_000])).await;
            }
        }
    });
    let mut limits = Limits::default();
    limits.frame_size = 1 << 20;
    let front = Front::start_with(attack, |options| options.limits(limits));
    survives_at::<A>("endless fragments", "a frame was too large", &front).await;
    let most = (1 << 20) + super::SYSTEM_BUFFERS;
    assert!(taken.bytes() < most, "{}", taken.bytes());
}

on_every_runtime!(
    answers_byte_by_byte_are_read,
    character_split_between_fragments_is_read,
    fragments_meaningless_are_skipped,
    frames_in_the_read_of_the_upgrade_are_handled,
    fragments_without_an_end_are_not_kept,
);
