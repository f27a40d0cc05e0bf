//! A server that sends fixed answers, and publishes events as fast as it can on request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, Lines, Stdin};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::frames;

/// The line that starts publishing. It ends with the number of frames.
pub(super) const PUBLISH: &str = "publish ";

/// The line that requests the last send that was received.
pub(super) const LAST_SEND: &str = "last send";

/// The line that closes all connections, and delays the handshakes of new ones.
pub(super) const CLOSE: &str = "close";

/// The line that ends [`CLOSE`], as soon as a client waits for its handshake. Answered with a line.
pub(super) const OPEN: &str = "open";

/// The time limit for the acknowledgement of all frames.
const PATIENCE: Duration = Duration::from_secs(120);

/// State that is shared between the connections.
struct Script {
    /// The queue of the newest connection.
    newest: Option<mpsc::Sender<Order>>,
    last_send: String,
    gate: watch::Sender<Gate>,
}

/// The state of the server for new connections.
#[derive(Clone, Copy, Default)]
struct Gate {
    is_closed: bool,
    /// The number of connections that wait for their handshake.
    waiting: usize,
}

type Shared = Arc<Mutex<Script>>;

/// A request to publish frames, and to measure the time until all are acknowledged.
struct Order {
    wire: Arc<[u8]>,
    acknowledgements: usize,
    took: oneshot::Sender<Result<Duration>>,
}

/// Prints the server's address and executes the commands in the lines.
pub(super) async fn serve(mut lines: Lines<BufReader<Stdin>>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let gate = watch::Sender::new(Gate::default());
    let script = Shared::new(Mutex::new(Script {
        newest: None,
        last_send: String::new(),
        gate: gate.clone(),
    }));
    tokio::spawn(accept(listener, Arc::clone(&script)));
    let mut prepared = (0, Arc::default(), 0);
    while let Some(line) = lines.next_line().await? {
        if line == LAST_SEND {
            println!("{}", lock(&script).last_send);
        } else if line == CLOSE {
            gate.send_modify(|gate| gate.is_closed = true);
        } else if line == OPEN {
            gate.subscribe().wait_for(|gate| gate.waiting > 0).await?;
            gate.send_modify(|gate| gate.is_closed = false);
            println!("open");
        } else if let Some(count) = line.strip_prefix(PUBLISH) {
            let count = count.parse()?;
            if prepared.0 != count {
                let (wire, acknowledgements) = frames::publishes(count);
                prepared = (count, wire.into(), acknowledgements);
            }
            let (_, wire, acknowledgements) = &prepared;
            let took = publish(&script, Arc::clone(wire), *acknowledgements).await?;
            println!("{}", took.as_nanos());
        } else {
            bail!("unknown: {line}");
        }
    }
    Ok(())
}

async fn publish(script: &Shared, wire: Arc<[u8]>, acknowledgements: usize) -> Result<Duration> {
    let newest = lock(script).newest.clone();
    let (took, outcome) = oneshot::channel();
    let order = Order {
        wire,
        acknowledgements,
        took,
    };
    let newest = newest.context("no client has connected")?;
    newest.send(order).await.context("the client is gone")?;
    outcome.await?
}

async fn accept(listener: TcpListener, script: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        let script = Arc::clone(&script);
        tokio::spawn(async move {
            // A failed connection must not end the server.
            let _ = converse(stream, script).await;
        });
    }
}

async fn converse(stream: TcpStream, script: Shared) -> Result<()> {
    stream.set_nodelay(true)?;
    let gate = lock(&script).gate.clone();
    gate.send_modify(|gate| gate.waiting += 1);
    let mut state = gate.subscribe();
    state.wait_for(|gate| !gate.is_closed).await?;
    gate.send_modify(|gate| gate.waiting -= 1);
    let mut socket = accept_async(stream).await?;
    let (sender, mut orders) = mpsc::channel(1);
    lock(&script).newest = Some(sender);
    loop {
        tokio::select! {
            () = closed(&mut state) => return Ok(()),
            message = socket.next() => {
                let Some(message) = message else { return Ok(()) };
                answer(&mut socket, message?, &script).await?;
            }
            Some(order) = orders.recv() => {
                let took = carry_out(&mut socket, &order);
                let took = tokio::time::timeout(PATIENCE, took).await;
                // The receiver waits for this result.
                let _ = order.took.send(took.unwrap_or_else(|late| Err(late.into())));
            }
        }
    }
}

async fn closed(state: &mut watch::Receiver<Gate>) {
    // The sender lives as long as the server.
    let _ = state.wait_for(|gate| gate.is_closed).await;
}

async fn answer(
    socket: &mut WebSocketStream<TcpStream>,
    message: Message,
    script: &Shared,
) -> Result<()> {
    let Message::Text(text) = message else {
        return Ok(());
    };
    if text.contains("/messages\",{\"content\"") {
        lock(script).last_send.replace_range(.., &text);
    }
    if let Some(answer) = frames::answer(&text) {
        socket.send(Message::text(answer)).await?;
    }
    Ok(())
}

/// Writes and reads the raw bytes below the WebSocket layer, so that the server's own work does not
/// slow the client down.
async fn carry_out(socket: &mut WebSocketStream<TcpStream>, order: &Order) -> Result<Duration> {
    let (mut reader, mut writer) = socket.get_mut().split();
    let start = Instant::now();
    let write = async { Ok(writer.write_all(&order.wire).await?) };
    let read = async {
        let mut buffer = vec![0; 64 << 10];
        let mut missing = order.acknowledgements;
        while missing > 0 {
            let count = reader.read(&mut buffer).await?;
            ensure!(count > 0, "the client has left");
            let left = missing.checked_sub(count);
            missing = left.context("the client says more than it has to")?;
        }
        anyhow::Ok(start.elapsed())
    };
    let ((), took) = tokio::try_join!(write, read)?;
    Ok(took)
}

fn lock(script: &Shared) -> std::sync::MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}
