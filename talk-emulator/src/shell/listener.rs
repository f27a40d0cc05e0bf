use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

use super::fault::ConnectionHandle;

/// The delay before the next accept if the system has no more sockets.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Limits on accepted connections.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AcceptLimiter {
    /// Close new connections at once.
    pub(crate) refuse: bool,
    /// Connections of an earlier generation are cut.
    pub(crate) generation: u64,
}

/// Accepts and serves connections. Dropping the future cuts all connections except WebSockets.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    gate: watch::Receiver<AcceptLimiter>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if !gate.borrow().refuse => {
                    connections.spawn(serve_connection(stream, router.clone(), gate.clone()));
                }
                Ok(_) => {}
                Err(_) => sleep(ACCEPT_RETRY).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    mut gate: watch::Receiver<AcceptLimiter>,
) {
    let generation = gate.borrow_and_update().generation;
    // Frames are small and latency matters.
    let _ = stream.set_nodelay(true);
    let connection = ConnectionHandle::default();
    let router = router.layer(Extension(connection.clone()));
    let serving = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::select! {
        // The client detects a failed connection.
        _ = serving => {}
        () = connection.cut() => {}
        _ = gate.wait_for(|gate| gate.generation != generation) => {}
    }
}
