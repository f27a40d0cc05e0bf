//! Answers to a WebSocket upgrade.

use async_tungstenite::tungstenite::handshake::derive_accept_key;
use futures_util::FutureExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::SYSTEM_BUFFERS;
use super::attack::{Taken, answering, connected, until_left};
use super::front::Front;
use super::survive::{Case, all_survive, case, survives, survives_at};
use crate::adapters::adapter::Adapter;
use crate::adapters::server::listen;
use crate::adapters::transport::peer::read_request;

const NOT_WEBSOCKET: &str = "the server does not speak WebSocket";

/// Creates a case whose answer is valid except for these header lines.
fn right_but_for(name: &'static str, lines: &'static str) -> Case {
    let attack = connected(move |mut stream| async move {
        let request = read_request(&mut stream).await;
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: {}\r\n{lines}\r\n",
            accept_key(&request)
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        until_left(stream).await;
    });
    case(name, NOT_WEBSOCKET, attack)
}

fn accept_key(request: &str) -> String {
    let mut keys = request.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then_some(value)
    });
    derive_accept_key(keys.next().unwrap().as_bytes())
}

async fn upgrade_wrong_answers_are_distinguished<A: Adapter>() {
    let switching = "HTTP/1.1 101 Switching Protocols\r\n";
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    let accept = "sec-websocket-accept: d3Jvbmc=\r\n";
    all_survive::<A>([
        case(
            "a page",
            "answered 200",
            answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"),
        ),
        case(
            "not authorised",
            "answered 401",
            answering("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\n\r\n"),
        ),
        case(
            "an error without an end",
            "answered 500",
            answering("HTTP/1.1 500 Oops\r\n\r\nno length, and no end"),
        ),
        case(
            "another version",
            "answered 426",
            answering("HTTP/1.1 426 Upgrade Required\r\nsec-websocket-version: 14\r\n\r\n"),
        ),
        case(
            "go on, and no key",
            NOT_WEBSOCKET,
            answering(format!(
                "HTTP/1.1 100 Continue\r\n\r\n{switching}{upgrade}\r\n"
            )),
        ),
        case(
            "no key",
            NOT_WEBSOCKET,
            answering(format!("{switching}{upgrade}\r\n")),
        ),
        case(
            "a wrong key",
            NOT_WEBSOCKET,
            answering(format!("{switching}{upgrade}{accept}\r\n")),
        ),
        case(
            "no upgrade",
            NOT_WEBSOCKET,
            answering(format!("{switching}{accept}\r\n")),
        ),
        case(
            "HTTP/1.0",
            NOT_WEBSOCKET,
            answering(format!("HTTP/1.0 101 X\r\n{upgrade}{accept}\r\n")),
        ),
        case("garbage", NOT_WEBSOCKET, answering([0xff; 4096])),
        case(
            "HTTP/2",
            NOT_WEBSOCKET,
            answering(b"\0\0\x12\x04\0\0\0\0\0\0\0"),
        ),
        right_but_for(
            "a subprotocol that nobody asked for",
            "sec-websocket-protocol: chat\r\n",
        ),
        right_but_for(
            "an extension that nobody asked for",
            "sec-websocket-extensions: permessage-deflate\r\n",
        ),
    ])
    .await;
}

async fn upgrade_answer_cut_short_is_a_loss<A: Adapter>() {
    let after = |answer: &'static str, reset: bool| {
        connected(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            if reset {
                stream.set_zero_linger().unwrap();
            }
        })
    };
    let lost = "the connection was lost while it was being set up";
    all_survive::<A>([
        case("nothing", lost, after("", false)),
        case("nothing, and a reset", lost, after("", true)),
        case("a part", lost, after("HTTP/1.1 101 Swi", false)),
        case("a part, and a reset", lost, after("HTTP/1.1 101 Swi", true)),
        case("not even a look", lost, connected(async |_| {})),
    ])
    .await;
}

async fn upgrade_endless_header_is_cut_off<A: Adapter>() {
    let taken = Taken::default();
    let fed = taken.clone();
    let attack = connected(move |mut stream: TcpStream| {
        let fed = fed.clone();
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 101 X\r\n").await;
            fed.feed(&mut stream, &b"x: y\r\n".repeat(1_000)).await;
        }
    });
    survives::<A>(case("an endless header", NOT_WEBSOCKET, attack)).await;
    assert!(taken.bytes() < SYSTEM_BUFFERS, "{}", taken.bytes());
}

async fn upgrade_slow_header_times_out<A: Adapter>() {
    let attack = connected(async |mut stream| {
        read_request(&mut stream).await;
        stream.set_nodelay(true).unwrap();
        let line = "x-padding: this goes on and on\r\n".as_bytes();
        for byte in b"HTTP/1.1 101 X\r\n".iter().chain(line.iter().cycle()) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            // The pause keeps bytes in separate packets.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    survives::<A>(case("a slow header", "no connection within 15 s", attack)).await;
}

async fn upgrade_redirect_is_not_followed<A: Adapter>() {
    let elsewhere = listen();
    let address = elsewhere.local_addr().unwrap();
    for (status, target) in [
        (301, format!("ws://{address}/")),
        (302, format!("http://{address}/")),
        (303, "/v1/app".to_owned()),
        (307, "/".to_owned()),
        (308, "//".to_owned()),
    ] {
        let answer = format!("HTTP/1.1 {status} X\r\nlocation: {target}\r\n\r\n");
        let front = Front::start(answering(answer));
        let session = A::session(front.options());
        survives_at::<A>(&target, &format!("answered {status}"), &front).await;
        // Each attempt made one connection, so that no redirect was followed.
        let attempts = session.counters().connects;
        assert_eq!(front.attacked() as u64 + 1, attempts, "{target}");
    }
    assert!(elsewhere.accept().now_or_never().is_none());
}

on_every_runtime!(
    upgrade_wrong_answers_are_distinguished,
    upgrade_answer_cut_short_is_a_loss,
    upgrade_endless_header_is_cut_off,
    upgrade_slow_header_times_out,
    upgrade_redirect_is_not_followed,
);
