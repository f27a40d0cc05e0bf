//! A relay in front of the emulator, which can be cut and redirected.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_tungstenite::accept_async;
use talk_client::{Addresses, TalkOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::compat::TokioAsyncReadCompatExt;

/// The target of new connections. A change cuts all existing connections.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The emulator.
    Home,
    /// Nothing: connections are dropped.
    Nowhere,
    /// A server without WebSocket support.
    WebServer,
    /// A server that violates the WebSocket protocol.
    Breaking,
    /// A server that sends endless pings and does not read.
    Pinging,
}

/// A listener for WebSockets.
pub(crate) struct Relay {
    addresses: Addresses,
    way: watch::Sender<Way>,
    connections: Connections,
}

/// The connections that were accepted since the last change of the target.
type Connections = Arc<Mutex<Vec<JoinHandle<()>>>>;

impl Relay {
    /// Starts a relay in front of the emulator at `host`, on the current runtime.
    pub(crate) async fn start(host: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut addresses = Addresses::of_host(&host);
        let here = listener.local_addr().unwrap();
        addresses.realtime = addresses.realtime.replace(&host, &here.to_string());
        let way = watch::Sender::new(Way::Home);
        let connections = Connections::default();
        let home = host.parse().unwrap();
        tokio::spawn(accept(listener, home, way.clone(), connections.clone()));
        Self {
            addresses,
            way,
            connections,
        }
    }

    pub(crate) fn options(&self, user: &str) -> TalkOptions {
        let options = TalkOptions::new("app", user).unwrap();
        options.addresses(self.addresses.clone())
    }

    /// Cuts all connections and sets the target of new ones. Returns when the connections are cut:
    /// a request that is sent later does not reach the old target.
    pub(crate) async fn lead(&self, way: Way) {
        let old = {
            let mut connections = self.connections.lock().unwrap();
            self.way.send_replace(way);
            std::mem::take(&mut *connections)
        };
        for connection in old {
            connection.await.unwrap();
        }
    }
}

async fn accept(
    listener: TcpListener,
    home: SocketAddr,
    way: watch::Sender<Way>,
    connections: Connections,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut connections = connections.lock().unwrap();
        let mut change = way.subscribe();
        let way = *change.borrow_and_update();
        connections.retain(|connection| !connection.is_finished());
        connections.push(tokio::spawn(async move {
            tokio::select! {
                () = follow(way, stream, home) => {}
                _ = change.changed() => {}
            }
        }));
    }
}

async fn follow(way: Way, mut stream: TcpStream, home: SocketAddr) {
    match way {
        Way::Home => {
            let mut home = TcpStream::connect(home).await.unwrap();
            // An error only means that one side has closed the connection.
            let _ = copy_bidirectional(&mut stream, &mut home).await;
        }
        Way::Nowhere => {}
        Way::WebServer => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        Way::Breaking => {
            let Ok(socket) = accept_async(stream.compat()).await else {
                return;
            };
            let mut stream = socket.into_inner().into_inner();
            let _ = stream.write_all(&[0xff, 0xff]).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        Way::Pinging => {
            let Ok(socket) = accept_async(stream.compat()).await else {
                return;
            };
            let mut stream = socket.into_inner().into_inner();
            let pings = [0x89, 4, b'p', b'i', b'n', b'g'].repeat(1_000);
            while stream.write_all(&pings).await.is_ok() {}
        }
    }
}
