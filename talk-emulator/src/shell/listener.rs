use std::sync::Arc;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

use super::control_access::Peer;
use super::fault::ConnectionHandle;
use super::meter::{Meter, MeteredStream, ReadBudget};

/// The default time after which a connection without progress is cut.
pub(crate) const DEFAULT_STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The delay before the next accept if the system has no more sockets.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Limits on accepted connections.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AcceptLimiter {
    /// Set to close new connections at once.
    pub(crate) refuse: bool,
    /// The generation of new connections. Connections of earlier generations are cut.
    pub(crate) generation: u64,
}

/// Accepts and serves connections. Dropping the future cuts all connections except WebSockets.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    gate: watch::Receiver<AcceptLimiter>,
    stall_timeout: Duration,
) {
    let budget = Arc::new(ReadBudget::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if !gate.borrow().refuse => {
                    // Frames are small and latency matters.
                    let _ = stream.set_nodelay(true);
                    let meter = Arc::new(Meter::new(Arc::clone(&budget)));
                    let handle = ConnectionHandle::new(Arc::clone(&meter), stall_timeout);
                    let stream = MeteredStream::new(stream, meter);
                    let router = router.clone().layer(Extension(Peer::new(peer)));
                    let serving = serve_connection(stream, handle, router, gate.clone());
                    connections.spawn(serving);
                }
                Ok(_) => {}
                Err(_) => sleep(ACCEPT_RETRY).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(
    stream: MeteredStream<TcpStream>,
    connection: ConnectionHandle,
    router: Router,
    mut gate: watch::Receiver<AcceptLimiter>,
) {
    let generation = gate.borrow_and_update().generation;
    let router = router.layer(Extension(connection.clone()));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(connection.stall_timeout())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::select! {
        // The client detects a failed connection.
        _ = serving => {}
        () = connection.cut() => {}
        _ = gate.wait_for(|gate| gate.generation != generation) => {}
    }
}
