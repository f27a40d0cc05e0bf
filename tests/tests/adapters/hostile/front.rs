//! A hostile server that can be switched to proper behaviour.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_rustls::TlsAcceptor;
use talk_client::net::TlsOptions;
use talk_client::{Addresses, TalkOptions};
use talk_tests::forward;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::attack::Attack;
use crate::adapters::adapter::servers;
use crate::adapters::server::{Server, listen};
use crate::adapters::transport::tls::Authority;

/// A listener for WebSockets or HTTP requests. It attacks its connections until
/// [`relent`](Self::relent) is called, and then forwards new ones to a proper server.
pub(super) struct Front {
    pub(super) good: Server,
    address: SocketAddr,
    addresses: Addresses,
    options: TalkOptions,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    attack: Attack,
    /// The TLS configuration of forwarded connections.
    tls: Option<TlsAcceptor>,
    good: SocketAddr,
    has_relented: AtomicBool,
    attacked: AtomicUsize,
}

impl Front {
    pub(super) fn start(attack: Attack) -> Self {
        Self::start_as("ws", attack, None)
    }

    /// Starts a front whose sessions have changed options.
    pub(super) fn start_with(
        attack: Attack,
        change: impl FnOnce(TalkOptions) -> TalkOptions,
    ) -> Self {
        let mut front = Self::start(attack);
        front.options = change(front.options.clone());
        front
    }

    /// Starts a front for HTTP, which receives the requests to the REST and internal addresses.
    pub(super) fn start_http(attack: Attack) -> Self {
        let mut front = Self::start(attack);
        front.addresses = Addresses::of_host(&front.address.to_string());
        front.addresses.realtime = Addresses::of_host(&front.good.address.to_string()).realtime;
        front.options = front.options.clone().addresses(front.addresses());
        front
    }

    /// Starts a front whose forwarded connections use the authority's certificate. The session
    /// trusts the authority.
    pub(super) fn start_secured(authority: &Authority, attack: Attack) -> Self {
        let mut front = Self::start_as("wss", attack, Some(authority));
        let tls = TlsOptions::with_extra_roots(authority.pem.as_bytes()).unwrap();
        front.options = front.options.clone().tls(tls);
        front
    }

    fn start_as(scheme: &str, attack: Attack, authority: Option<&Authority>) -> Self {
        let good = Server::start(|_| None);
        let listener = listen();
        let address = listener.local_addr().unwrap();
        let mut addresses = Addresses::of_host(&good.address.to_string());
        addresses.realtime = format!("{scheme}://{address}/v1");
        let state = Arc::new(State {
            attack,
            tls: authority.map(|authority| TlsAcceptor::from(Arc::clone(&authority.server))),
            good: good.address,
            has_relented: AtomicBool::new(false),
            attacked: AtomicUsize::new(0),
        });
        Self {
            options: good.options("alice").addresses(addresses.clone()),
            good,
            address,
            addresses,
            task: servers().spawn(accept(listener, Arc::clone(&state))),
            state,
        }
    }

    pub(super) fn options(&self) -> TalkOptions {
        self.options.clone()
    }

    pub(super) fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// Ends the attacks: further connections are forwarded.
    pub(super) fn relent(&self) {
        self.state.has_relented.store(true, Ordering::Relaxed);
    }

    /// Returns the number of attacked connections.
    pub(super) fn attacked(&self) -> usize {
        self.state.attacked.load(Ordering::Relaxed)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Dropping the set ends all connections when the server stops.
    let mut tasks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        if state.has_relented.load(Ordering::Relaxed) {
            let state = Arc::clone(&state);
            // Either side may break the connection.
            tasks.spawn(async move {
                let _ = forward(stream, state.tls.as_ref(), state.good).await;
            });
        } else {
            state.attacked.fetch_add(1, Ordering::Relaxed);
            tasks.spawn((state.attack)(stream));
        }
    }
}
