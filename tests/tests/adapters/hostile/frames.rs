//! Frames that a server must not send.

use talk_client::{Error, Limits, TransportError};
use tokio::io::AsyncWriteExt;

use super::attack::{frame, opened, sending, until_left};
use super::front::Front;
use super::survive::{all_survive, case, survives_at};
use crate::adapters::adapter::Adapter;
use crate::adapters::server::{Answer, Server};

const BROKEN: &str = "the server broke the WebSocket protocol";
const TOO_LARGE: &str = "a frame was too large";

const CONTINUATION: u8 = 0x00;
const TEXT: u8 = 0x01;
const BINARY: u8 = 0x02;
const CLOSE: u8 = 0x08;
const PING: u8 = 0x09;
const PONG: u8 = 0x0a;
const LAST: u8 = 0x80;

async fn reserved_bits_and_opcodes_are_refused<A: Adapter>() {
    let reserved_bits = [0x40, 0x20, 0x10].map(|bit| LAST | bit | TEXT);
    let reserved_opcodes = (0x3..=0x7).chain(0xb..=0xf).map(|opcode| LAST | opcode);
    let heads = reserved_bits.into_iter().chain(reserved_opcodes);
    all_survive::<A>(heads.map(|head| case("reserved", BROKEN, sending(frame(head, "[1]"))))).await;
}

async fn frames_out_of_place_are_refused<A: Adapter>() {
    let masked = [LAST | TEXT, 0x80 | 2, 1, 2, 3, 4, b'{' ^ 1, b'}' ^ 2];
    let two_at_once = [frame(TEXT, "[1,"), frame(LAST | TEXT, "2]")].concat();
    let text_in_binary = [frame(BINARY, "[1,"), frame(LAST | TEXT, "2]")].concat();
    all_survive::<A>([
        case("a masked frame", BROKEN, sending(masked)),
        case(
            "a continuation of nothing",
            BROKEN,
            sending(frame(LAST | CONTINUATION, "[1]")),
        ),
        case(
            "the beginning of a continuation of nothing",
            BROKEN,
            sending(frame(CONTINUATION, "[1]")),
        ),
        case("a text within a text", BROKEN, sending(two_at_once)),
        case(
            "a text within a binary message",
            BROKEN,
            sending(text_in_binary),
        ),
        case("a ping in fragments", BROKEN, sending(frame(PING, "hi"))),
        case("a close in fragments", BROKEN, sending(frame(CLOSE, ""))),
        case(
            "a large ping",
            BROKEN,
            sending(frame(LAST | PING, [0; 126])),
        ),
        case(
            "a very large pong",
            BROKEN,
            sending(frame(LAST | PONG, vec![0; 100_000])),
        ),
    ])
    .await;
}

async fn texts_not_utf8_are_refused<A: Adapter>() {
    let split_wrongly = [frame(TEXT, b"\xc3"), frame(LAST | CONTINUATION, b"\x28")].concat();
    let cut_at_the_end = [frame(TEXT, "hi"), frame(LAST | CONTINUATION, b"\xe2\x82")].concat();
    all_survive::<A>([
        case("a stray byte", BROKEN, sending(frame(LAST | TEXT, b"\xff"))),
        case(
            "an overlong form",
            BROKEN,
            sending(frame(LAST | TEXT, b"\xc0\xaf")),
        ),
        case(
            "a surrogate",
            BROKEN,
            sending(frame(LAST | TEXT, b"\xed\xa0\x80")),
        ),
        case("a character split wrongly", BROKEN, sending(split_wrongly)),
        case(
            "a character cut at the end",
            BROKEN,
            sending(cut_at_the_end),
        ),
        // The client can report it before the end of the message.
        case(
            "no end in sight",
            BROKEN,
            sending(frame(TEXT, b"{\xf8\x88\x80\x80\x80")),
        ),
    ])
    .await;
}

async fn frame_announced_too_large_is_refused<A: Adapter>() {
    let announcing = |opcode: u8, length: u64| {
        let mut head = vec![LAST | opcode, 127];
        head.extend(length.to_be_bytes());
        sending(head)
    };
    let limit = Limits::default().frame_size as u64;
    all_survive::<A>([
        case("one byte too many", TOO_LARGE, announcing(TEXT, limit + 1)),
        case("binary", TOO_LARGE, announcing(BINARY, limit + 1)),
        case("4 GiB", TOO_LARGE, announcing(TEXT, 1 << 32)),
        case("2^63", TOO_LARGE, announcing(TEXT, 1 << 63)),
        case("all ones", TOO_LARGE, announcing(TEXT, u64::MAX)),
        case("a ping", BROKEN, announcing(PING, u64::MAX)),
    ])
    .await;
}

async fn frame_cut_short_is_a_loss<A: Adapter>() {
    let cut = |bytes: Vec<u8>, reset: bool| {
        opened(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                stream.write_all(&bytes).await.unwrap();
                if reset {
                    stream.set_zero_linger().unwrap();
                }
            }
        })
    };
    let whole = frame(LAST | TEXT, "[0,200,{}]");
    let cuts = [0, 1, 5, whole.len()].into_iter();
    all_survive::<A>(cuts.flat_map(|length| {
        [false, true].map(|reset| {
            let attack = cut(whole[..length].to_vec(), reset);
            case("a cut", "the connection was lost", attack)
        })
    }))
    .await;
}

async fn half_closed_connection_is_a_loss<A: Adapter>() {
    let attack = opened(async |mut stream| {
        stream.shutdown().await.unwrap();
        until_left(stream).await;
    });
    let front = Front::start(attack);
    survives_at::<A>("half-closed", "the connection was lost", &front).await;
}

async fn answer_too_large_twice_fails_only_its_call<A: Adapter>() {
    let server = Server::start(|request| {
        let large = serde_json::json!({ "id": "x".repeat(2_000) });
        request.is_send().then_some(Answer::Ok(large))
    });
    let mut limits = Limits::default();
    limits.frame_size = 1_000;
    let session = A::session(server.options("alice").limits(limits));
    let conversation = session.conversation("c").unwrap();
    let error = conversation.send("hi").await.unwrap_err();
    assert_eq!(error, Error::Transport(TransportError::FrameTooLarge));
    assert_eq!(conversation.mark_as_read().await, Ok(()));
    assert_eq!(server.record().connections, 3);
}

on_every_runtime!(
    reserved_bits_and_opcodes_are_refused,
    frames_out_of_place_are_refused,
    texts_not_utf8_are_refused,
    frame_announced_too_large_is_refused,
    frame_cut_short_is_a_loss,
    half_closed_connection_is_a_loss,
    answer_too_large_twice_fails_only_its_call,
);
