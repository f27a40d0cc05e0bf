//! The cost of an open inspector in instructions of the emulator per message. A message is three
//! frames: the request, its response, and the event to a subscriber.
//!
//! ```sh
//! cargo bench -p talk-emulator --bench inspector
//! ```
//!
//! Requires `valgrind`. The exit code is 1 if the goal is missed.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitCode, Stdio};

use futures_util::{SinkExt, StreamExt};
use talk_emulator::{Emulator, Seed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The number of messages in a count.
const MESSAGES: u64 = 2_000;

/// The number of messages in flight.
const IN_FLIGHT: u64 = 16;

/// The maximum ratio.
const GOAL: f64 = 1.1;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn main() -> ExitCode {
    if env::args().any(|argument| argument == "--serve") {
        serve();
        return ExitCode::SUCCESS;
    }
    let closed = per_message(false);
    let open = per_message(true);
    let ratio = open / closed;
    let is_met = ratio <= GOAL;
    let met = if is_met { "" } else { "MISSED" };
    println!(
        "inspector {ratio:.3} ≤ {GOAL} {met} a message with an open inspector, against a closed \
         one ({open:.0} : {closed:.0} instructions)"
    );
    match is_met {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Runs an emulator until the standard input ends, and prints its address.
fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let data = Seed::new("app")
            .user("alice", "Alice")
            .user("bob", "Bob")
            .conversation("lobby", ["alice", "bob"]);
        let emulator = Emulator::builder().initial_data(data).seed(1).start();
        let emulator = emulator.await.expect("an emulator");
        println!("{}", emulator.host());
        let end = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
        // The parent has ended or is done.
        let _ = end.await;
        emulator.shutdown().await;
    });
}

/// Returns the number of instructions per message. It is the difference between runs of `2 *
/// MESSAGES` and of `MESSAGES` messages, so that the start is not counted.
fn per_message(with_inspector: bool) -> f64 {
    let once = instructions(with_inspector, MESSAGES);
    let twice = instructions(with_inspector, 2 * MESSAGES);
    (twice - once) / MESSAGES as f64
}

fn instructions(with_inspector: bool, messages: u64) -> f64 {
    let own = env::current_exe().expect("the path of this program");
    let mut emulator = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind, which counts instructions");
    let host = address(&mut emulator);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(chat(&host, with_inspector, messages));
    drop(runtime);
    let output = emulator.wait_with_output().expect("the emulator's end");
    let report = String::from_utf8_lossy(&output.stderr);
    let count = report.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected : ")?;
        count.trim().parse().ok()
    });
    count.expect("a count of valgrind")
}

fn address(emulator: &mut Child) -> String {
    let output = emulator.stdout.as_mut().expect("a pipe");
    let mut line = String::new();
    BufReader::new(output)
        .read_line(&mut line)
        .expect("an address");
    line.trim().to_owned()
}

/// Sends messages from one user to another.
async fn chat(host: &str, with_inspector: bool, messages: u64) {
    if with_inspector {
        let stream = inspector(host).await;
        tokio::spawn(discard(stream));
    }
    let mut alice = connect(host, "alice").await;
    let mut bob = connect(host, "bob").await;
    let path = "/me/conversations/lobby/messages";
    request(&mut bob, 1, "SUBSCRIBE", path, "{}").await;
    next(&mut bob).await;
    let text = "A message of some fifty characters, a usual length.";
    let data = format!(r#"{{"content":[{{"type":"text","children":["{text}"]}}],"custom":{{}}}}"#);
    let path = "/conversations/lobby/messages";
    for first in (1..=messages).step_by(IN_FLIGHT as usize) {
        let last = messages.min(first + IN_FLIGHT - 1);
        for seq in first..=last {
            request(&mut alice, seq, "POST", path, &data).await;
        }
        for _ in first..=last {
            next(&mut alice).await;
        }
        let mut received = 0;
        while received <= last - first {
            let events = next(&mut bob).await;
            received += events.matches("message.created").count() as u64;
        }
    }
}

/// Opens the stream of events, and waits for its beginning.
async fn inspector(host: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let request = format!("GET /_emulator/events HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("an open connection");
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains("event: hello") {
        let length = stream.read(&mut buffer).await.expect("an answer");
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    stream
}

async fn discard(mut stream: TcpStream) {
    let mut buffer = vec![0; 1 << 16];
    while stream
        .read(&mut buffer)
        .await
        .is_ok_and(|length| length > 0)
    {}
}

async fn connect(host: &str, user: &str) -> Socket {
    let url = format!("ws://{host}/public_api/v1/app/realtime/{user}");
    let (mut socket, _) = connect_async(url).await.expect("a socket");
    let data = r#"{"token":"any"}"#;
    request(&mut socket, 0, "POST", "/session/renew", data).await;
    next(&mut socket).await;
    socket
}

async fn request(socket: &mut Socket, seq: u64, method: &str, path: &str, data: &str) {
    let text = format!(r#"[{seq},"{method}","{path}",{data},{{}}]"#);
    let sent = socket.send(Message::text(text)).await;
    sent.expect("an open socket");
}

async fn next(socket: &mut Socket) -> String {
    let message = socket.next().await.expect("an open socket");
    let message = message.expect("a message");
    message.into_text().expect("text").to_string()
}
