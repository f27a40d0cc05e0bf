//! Silent servers. This is the only test that has to wait: the timeout is 15 s. All runtimes and
//! all kinds of silence wait at the same time.

use std::thread;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;

use super::attack::{Attack, connected, opened, until_left};
use super::front::Front;
use super::survive::survives_at;
use crate::adapters::adapter::{
    Adapter, AsyncStd, Smol, TokioCurrentThread, TokioMultiThread, run,
};
use crate::adapters::transport::peer::read_request;
use crate::adapters::transport::tls::authority;

const NO_CONNECTION: &str = "no connection within 15 s";

#[test]
fn silence_is_a_loss_on_every_runtime() {
    let threads = [
        thread::spawn(|| run::<TokioCurrentThread>(silence::<TokioCurrentThread>())),
        thread::spawn(|| run::<TokioMultiThread>(silence::<TokioMultiThread>())),
        thread::spawn(|| run::<AsyncStd>(silence::<AsyncStd>())),
        thread::spawn(|| run::<Smol>(silence::<Smol>())),
    ];
    for outcome in threads.map(thread::JoinHandle::join) {
        outcome.expect("see above");
    }
}

async fn silence<A: Adapter>() {
    let authority = authority(&["127.0.0.1"]);
    let secured = |attack| Front::start_secured(&authority, attack);
    let cases = [
        ("nothing is said", NO_CONNECTION, Front::start(accepting())),
        (
            "nothing is said to TLS",
            NO_CONNECTION,
            secured(accepting()),
        ),
        (
            "nothing is read",
            NO_CONNECTION,
            Front::start(connected(async |stream| {
                std::future::pending::<()>().await;
                drop(stream);
            })),
        ),
        (
            "no answer",
            NO_CONNECTION,
            Front::start(answering_slowly(b"")),
        ),
        (
            "a header that trickles",
            NO_CONNECTION,
            Front::start(answering_slowly(b"HTTP/1.1 101 Switching")),
        ),
        (
            "TLS that trickles",
            NO_CONNECTION,
            secured(connected(async |stream| {
                // The beginning of a long record.
                trickle(stream, &[0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc]).await;
            })),
        ),
        (
            "a socket, and nothing",
            "the server has fallen silent",
            Front::start(opened(until_left)),
        ),
        (
            "a socket, and a frame that trickles",
            "the server has fallen silent",
            Front::start(opened(async |stream| {
                trickle(stream, &[0x81, 126, 4, 0, b'[', b'0', b',', b'2']).await;
            })),
        ),
    ];
    join_all(
        cases
            .iter()
            .map(|(name, reason, front)| survives_at::<A>(name, reason, front)),
    )
    .await;
}

/// Creates an attack that accepts the connection and all data.
fn accepting() -> Attack {
    connected(until_left)
}

fn answering_slowly(answer: &'static [u8]) -> Attack {
    connected(move |mut stream| async move {
        read_request(&mut stream).await;
        trickle(stream, answer).await;
    })
}

async fn trickle(mut stream: tokio::net::TcpStream, bytes: &[u8]) {
    for byte in bytes {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    until_left(stream).await;
}
