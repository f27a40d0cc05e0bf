//! The cost of an open inspector. A message is three frames: the request, its response, and the
//! event to a subscriber.
//!
//! ```sh
//! cargo bench -p talk-emulator --bench inspector
//! ```
//!
//! `inspector-load` compares the processor time of two busy emulators on Linux, and
//! `inspector-instructions` the instructions of a message. `valgrind` counts the instructions. It
//! slows the emulator down, so that the stream of events contains a larger part of its frames. The
//! exit code is 1 if a goal is missed.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitCode, Stdio};

use futures_util::{SinkExt, StreamExt};
use talk_emulator::{Emulator, Seed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The number of messages in a count of instructions.
const MESSAGES: u64 = 2_000;

/// The number of messages in a round, and the number of rounds with each emulator.
const ROUND: u64 = 20_000;
const ROUNDS: usize = 9;

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
    let (time, speed) = under_load();
    let is_met = time <= GOAL;
    println!(
        "inspector-load {time:.3} ≤ {GOAL}{} processor time of a message with an open inspector, \
         against a closed one ({speed:.2} times as many messages a second)",
        missed(is_met)
    );
    let closed = per_message(false);
    let open = per_message(true);
    let ratio = open / closed;
    let is_counted = ratio <= GOAL;
    println!(
        "inspector-instructions {ratio:.3} ≤ {GOAL}{} instructions of a message ({open:.0} : \
         {closed:.0})",
        missed(is_counted)
    );
    match is_met && is_counted {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

const fn missed(is_met: bool) -> &'static str {
    if is_met { "" } else { " MISSED" }
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

/// Returns the median ratios of processor time and of messages per second. In each round, the two
/// emulators run one after the other.
fn under_load() -> (f64, f64) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let own = env::current_exe().expect("the path of this program");
    let [mut closed, mut open] = [false, true].map(|with_inspector| {
        let mut emulator = serve_in(&mut Command::new(&own));
        let host = address(&mut emulator);
        let chat = runtime.block_on(Chat::open(&host, with_inspector));
        (emulator, chat)
    });
    let measure = |(emulator, chat): &mut (Child, Chat)| {
        let (before, began) = (processor_time(emulator), Instant::now());
        runtime.block_on(chat.send(ROUND));
        (
            processor_time(emulator) - before,
            began.elapsed().as_secs_f64(),
        )
    };
    let (mut times, mut speeds) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (base, with_inspector) = (measure(&mut closed), measure(&mut open));
        // The first round allocates memory and fills caches.
        if round > 0 {
            times.push(with_inspector.0 / base.0);
            speeds.push(base.1 / with_inspector.1);
        }
    }
    for (emulator, _) in [&mut closed, &mut open] {
        drop(emulator.stdin.take());
        emulator.wait().expect("the emulator's end");
    }
    (median(times), median(speeds))
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

/// Returns the processor time of an emulator in nanoseconds. It has one thread.
fn processor_time(emulator: &Child) -> f64 {
    let path = format!("/proc/{}/schedstat", emulator.id());
    let statistics = fs::read_to_string(path).expect("statistics of Linux");
    let time = statistics.split_whitespace().next();
    time.and_then(|it| it.parse().ok()).expect("a time")
}

/// Starts this program as an emulator.
fn serve_in(command: &mut Command) -> Child {
    let command = command.arg("--serve").stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("a process")
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
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let mut emulator = serve_in(valgrind.arg(own));
    let host = address(&mut emulator);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut chat = Chat::open(&host, with_inspector).await;
        chat.send(messages).await;
    });
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

/// The sender of the messages and their receiver.
struct Chat {
    alice: Socket,
    bob: Socket,
    /// The number of the last request.
    last: u64,
}

impl Chat {
    async fn open(host: &str, with_inspector: bool) -> Self {
        if with_inspector {
            let stream = inspector(host).await;
            tokio::spawn(discard(stream));
        }
        let alice = connect(host, "alice").await;
        let mut bob = connect(host, "bob").await;
        let path = "/me/conversations/lobby/messages";
        request(&mut bob, 1, "SUBSCRIBE", path, "{}").await;
        next(&mut bob).await;
        Self {
            alice,
            bob,
            last: 0,
        }
    }

    async fn send(&mut self, messages: u64) {
        let text = "A message of some fifty characters, a usual length.";
        let data =
            format!(r#"{{"content":[{{"type":"text","children":["{text}"]}}],"custom":{{}}}}"#);
        let path = "/conversations/lobby/messages";
        let end = self.last + messages;
        while self.last < end {
            let count = IN_FLIGHT.min(end - self.last);
            for _ in 0..count {
                self.last += 1;
                request(&mut self.alice, self.last, "POST", path, &data).await;
            }
            for _ in 0..count {
                next(&mut self.alice).await;
            }
            let mut received = 0;
            while received < count {
                let events = next(&mut self.bob).await;
                received += events.matches("message.created").count() as u64;
            }
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
