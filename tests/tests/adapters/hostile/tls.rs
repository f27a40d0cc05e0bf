//! Servers with invalid TLS or without TLS.

use std::sync::Arc;

use futures_rustls::TlsAcceptor;
use futures_rustls::rustls::ServerConfig;
use futures_util::AsyncWriteExt as _;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::attack::{Attack, connected, until_left};
use super::front::Front;
use super::survive::{Case, case, survives_at};
use crate::adapters::adapter::Adapter;
use crate::adapters::transport::tls::{Authority, authority, leaf, self_signed};

const NOT_SECURE: &str = "no secure connection to 127.0.0.1";
const LOST: &str = "the connection was lost";

/// Creates an attack that sends these bytes instead of the handshake.
fn saying(bytes: impl AsRef<[u8]>) -> Attack {
    let bytes = Arc::<[u8]>::from(bytes.as_ref());
    connected(move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            let _ = stream.write_all(&bytes).await;
            until_left(stream).await;
        }
    })
}

/// Creates an attack that offers a certificate and sends nothing to a client that accepts it.
fn certified(server: Arc<ServerConfig>) -> Attack {
    let acceptor = TlsAcceptor::from(server);
    connected(move |stream| {
        let accepting = acceptor.accept(stream.compat());
        async move {
            if accepting.await.is_ok() {
                std::future::pending::<()>().await;
            }
        }
    })
}

async fn tls_plain_server_is_refused<A: Adapter>() {
    let authority = authority(&["127.0.0.1"]);
    let alert = [0x15, 3, 3, 0, 2, 2, 40];
    let early_data = [&[0x17, 3, 3, 0, 5][..], b"hello"].concat();
    let cases = [
        ("plain HTTP", saying("HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("garbage", saying([0xa5; 10_000])),
        ("another version", saying([0x16, 9, 9, 0, 4, 2, 0, 0, 0])),
        ("a large record", saying([0x16, 3, 3, 0xff, 0xff])),
        ("an alert", saying(alert)),
        ("data before the handshake", saying(early_data)),
    ];
    all_are_survived::<A>(
        &authority,
        cases.map(|(name, attack)| case(name, NOT_SECURE, attack)),
    )
    .await;
}

async fn tls_invalid_certificate_is_refused<A: Adapter>() {
    let mut expired = leaf(&["127.0.0.1"]);
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let mut early = leaf(&["127.0.0.1"]);
    early.not_before = rcgen::date_time_ymd(2900, 1, 1);
    let authority = authority(&["127.0.0.1"]);
    let stranger = self::authority(&["127.0.0.1"]).server;
    let cases = [
        ("expired", "expired", authority.vouch_for(expired)),
        ("not valid yet", "not valid yet", authority.vouch_for(early)),
        (
            "for another",
            "not valid for name",
            authority.vouch_for(leaf(&["talk.example"])),
        ),
        (
            "for nobody",
            "not valid for",
            authority.vouch_for(leaf(&[])),
        ),
        ("another authority's", "invalid peer certificate", stranger),
        (
            "self-signed",
            "invalid peer certificate",
            self_signed(&leaf(&["127.0.0.1"])),
        ),
    ];
    all_are_survived::<A>(
        &authority,
        cases.map(|(name, reason, server)| case(name, reason, certified(server))),
    )
    .await;
}

async fn tls_truncated_connection_is_a_loss<A: Adapter>() {
    let authority = authority(&["127.0.0.1"]);
    let half_a_handshake = connected(async |mut stream: TcpStream| {
        // Five bytes are a ClientHello's header. Dropping the connection with unread data resets
        // it.
        let _ = stream.read_exact(&mut [0; 5]).await;
    });
    let acceptor = TlsAcceptor::from(Arc::clone(&authority.server));
    let half_a_frame = connected(move |stream: TcpStream| {
        let accepting = acceptor.accept(stream.compat());
        async move {
            let Ok(secured) = accepting.await else { return };
            let Ok(socket) = async_tungstenite::accept_async(secured).await else {
                return;
            };
            let mut secured = socket.into_inner();
            let _ = secured.write_all(&[0x81, 5, b'[']).await;
            let _ = secured.flush().await;
            // The connection ends without a close of WebSocket or TLS.
        }
    });
    let fronts = [
        ("half a handshake", half_a_handshake),
        ("half a frame", half_a_frame),
    ];
    all_are_survived::<A>(
        &authority,
        fronts.map(|(name, attack)| case(name, LOST, attack)),
    )
    .await;
}

/// Checks the cases like [`all_survive`](super::survive::all_survive), with servers that use TLS.
async fn all_are_survived<A: Adapter>(
    authority: &Authority,
    cases: impl IntoIterator<Item = Case>,
) {
    let sessions = cases.into_iter().map(async |case| {
        let front = Front::start_secured(authority, case.attack);
        survives_at::<A>(case.name, case.reason, &front).await;
    });
    join_all(sessions).await;
}

on_every_runtime!(
    tls_plain_server_is_refused,
    tls_invalid_certificate_is_refused,
    tls_truncated_connection_is_a_loss,
);
