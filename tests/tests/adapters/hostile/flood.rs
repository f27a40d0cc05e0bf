//! Floods of frames, and servers that do not read.

use std::pin::pin;
use std::time::Duration;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::protocol::{Message, Role};
use futures_util::StreamExt;
use futures_util::future::select;
use talk_client::{Error, TransportError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::attack::{Attack, Taken, frame, opened};
use super::front::Front;
use crate::adapters::adapter::Adapter;
use crate::adapters::server::answer_well;

/// Creates an attack that sends `flood` without a pause and answers requests in between, until the
/// client closes the connection.
fn flooding(flood: Message) -> Attack {
    opened(move |stream| answer_in_a_flood(stream, flood.clone()))
}

async fn answer_in_a_flood(stream: TcpStream, flood: Message) {
    let socket = WebSocketStream::from_raw_socket(stream.compat(), Role::Server, None).await;
    let (mut sink, mut requests) = socket.split();
    let (answers, mut next_answer) = mpsc::unbounded_channel();
    let read = async {
        while let Some(Ok(message)) = requests.next().await {
            if let Message::Text(text) = message {
                let answer = answer_well(text.as_str()).map(Message::text);
                answer.map(|answer| answers.send(answer));
            }
        }
    };
    let write = async {
        loop {
            let message = next_answer.try_recv().unwrap_or_else(|_| flood.clone());
            if sink.send(message).await.is_err() {
                return;
            }
        }
    };
    select(pin!(read), pin!(write)).await;
}

async fn flood_does_not_stop_calls<A: Adapter>() {
    for (name, flood) in [
        ("pings", Message::Ping(vec![0; 125].into())),
        ("pongs", Message::Pong(vec![0; 125].into())),
        ("binary messages", Message::binary(vec![0; 1_000])),
        ("texts", Message::text(" ".repeat(1_000))),
    ] {
        let front = Front::start(flooding(flood));
        let session = A::session(front.options());
        for _ in 0..2 {
            let call = session.current_user().set(Default::default());
            assert_eq!(call.await, Ok(()), "{name}");
        }
        assert_eq!(session.counters().reconnects, 0, "{name}");
        // Because of its own flood, the server does not receive the client's close frame.
        session.shutdown().await;
    }
}

async fn flood_of_empty_fragments_times_calls_out<A: Adapter>() {
    // An endless message of empty fragments never reaches the size limit.
    let attack = opened(async |mut stream: TcpStream| {
        if stream.write_all(&frame(0x01, "")).await.is_ok() {
            let chunk = frame(0x00, "").repeat(16 * 1024);
            Taken::default().feed(&mut stream, &chunk).await;
        }
    });
    assert_call_times_out::<A>("empty fragments", attack).await;
}

async fn flood_of_pings_times_calls_out<A: Adapter>() {
    let attack = opened(async |mut stream: TcpStream| {
        let chunk = frame(0x89, [0; 125]).repeat(100);
        Taken::default().feed(&mut stream, &chunk).await;
    });
    assert_call_times_out::<A>("pings", attack).await;
}

/// Checks that a call fails at its deadline, that the session can be shut down, and that the next
/// session works.
async fn assert_call_times_out<A: Adapter>(name: &str, attack: Attack) {
    let front = Front::start(attack);
    let session = A::session(front.options());
    let after = Duration::from_millis(500);
    let call = session.current_user().set(Default::default());
    let too_late = Error::Transport(TransportError::Deadline {
        after,
        maybe_happened: false,
        idempotent: true,
        last_failure: None,
    });
    assert_eq!(call.timeout(after).await, Err(too_late), "{name}");
    session.shutdown().await;
    assert_eq!(front.attacked(), 1, "{name}");

    front.relent();
    let session = A::session(front.options());
    let call = session.current_user().set(Default::default());
    assert_eq!(call.await, Ok(()), "{name}");
}

on_every_runtime!(
    flood_does_not_stop_calls,
    flood_of_empty_fragments_times_calls_out,
    flood_of_pings_times_calls_out,
);
