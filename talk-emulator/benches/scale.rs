//! The time and the memory of an emulator that starts with 1,000,000 stored messages in 10,000
//! conversations.
//!
//! ```sh
//! cargo bench -p talk-emulator --bench scale
//! ```
//!
//! The rows are written by an emulator once and copied. The start is compared with a program that
//! only reads the rows. Memory is the peak of the process, less that of an empty emulator, so it
//! is measured on Linux only. Then pages of the REST API are read. The exit code is 1 if a goal is
//! missed.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::Value;
use talk_emulator::{Emulator, Seed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

const CONVERSATIONS: u64 = 10_000;

/// The number of messages of each conversation.
const MESSAGES: u64 = 100;

/// The pages that are read, and how often.
const PAGES: [&str; 3] = [
    "conversations?limit=30",
    "users/alice/conversations?limit=30",
    "conversations/5000/messages?limit=100",
];
const READS: usize = 21;

/// The number of pairs of a start and a program that only reads. The median counts.
const ROUNDS: usize = 5;

/// The maximum memory of a message, in bytes.
const MAX_BYTES: f64 = 1024.0;

/// The maximum ratio of a start to reading the rows.
const MAX_RATIO: f64 = 3.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--start") => {
            start(Path::new(&arguments[2]));
            return ExitCode::SUCCESS;
        }
        Some("--read") => {
            read(Path::new(&arguments[2]));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let folder = tempfile::tempdir().expect("a folder");
    let empty = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let messages = (CONVERSATIONS * MESSAGES) as f64;
    let base = measure("--start", empty.path()).memory;
    // The first run fills the cache of the system.
    measure("--read", folder.path());
    let rounds = (0..ROUNDS).map(|_| {
        let bare = measure("--read", folder.path()).time;
        (bare, measure("--start", folder.path()))
    });
    let ratio = |(bare, started): &(Duration, Measured)| started.time.div_duration_f64(*bare);
    let mut rounds: Vec<_> = rounds.collect();
    rounds.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    let median = rounds.swap_remove(ROUNDS / 2);
    let ratio = ratio(&median);
    let (bare, started) = median;
    let bytes = started.memory.saturating_sub(base) as f64 / messages;
    let (is_fast, is_small) = (ratio <= MAX_RATIO, bytes <= MAX_BYTES);
    let missed = |is_met| if is_met { "" } else { " MISSED" };
    println!(
        "scale-start {ratio:.2} ≤ {MAX_RATIO}{} with {messages} messages, against reading the rows \
         ({} ms : {} ms)",
        missed(is_fast),
        started.time.as_millis(),
        bare.as_millis(),
    );
    println!(
        "scale-memory {bytes:.0} ≤ {MAX_BYTES}{} bytes of a message, at the peak of the start",
        missed(is_small)
    );
    for (page, time) in PAGES.iter().zip(started.pages) {
        println!("scale-page {} µs GET {page}", time.as_micros());
    }
    match is_fast && is_small {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The measurements of a process.
struct Measured {
    time: Duration,
    /// The peak in bytes.
    memory: u64,
    pages: Vec<Duration>,
}

/// Runs this program in a mode.
fn measure(mode: &str, folder: &Path) -> Measured {
    let own = env::current_exe().expect("the path of this program");
    let output = Command::new(own).arg(mode).arg(folder).output();
    let output = String::from_utf8(output.expect("a process").stdout).expect("text");
    let numbers = output.split_whitespace().map(|it| it.parse::<u64>());
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().expect("numbers");
    let (totals, pages) = numbers.split_at(2);
    Measured {
        time: Duration::from_micros(totals[0]),
        memory: totals[1],
        pages: pages.iter().copied().map(Duration::from_micros).collect(),
    }
}

/// Prints microseconds, and the peak memory of this process in bytes.
fn report(time: Duration) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = peak.map_or(0, |kib| kib.trim().parse().unwrap_or(0));
    println!("{} {}", time.as_micros(), kib * 1024);
}

/// Prints the median microseconds of each page.
async fn report_pages(host: &str) {
    for page in PAGES {
        let mut times = Vec::new();
        for _ in 0..READS {
            times.push(page_time(host, page).await);
        }
        times.sort();
        println!("{}", times[READS / 2].as_micros());
    }
}

/// Requests a page, and returns the time until its end.
async fn page_time(host: &str, page: &str) -> Duration {
    let request = format!(
        "GET /v1/app/{page} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer any\r\n\
         Connection: close\r\n\r\n"
    );
    let began = Instant::now();
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("an open connection");
    let mut response = String::new();
    let read = stream.read_to_string(&mut response).await;
    read.expect("a response");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    began.elapsed()
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Starts an emulator with a folder.
fn start(folder: &Path) {
    runtime().expect("a runtime").block_on(async {
        let began = Instant::now();
        let emulator = Emulator::builder().data(folder).start().await;
        let emulator = emulator.expect("an emulator");
        report(began.elapsed());
        let alice = emulator.user("app", "alice").await.expect("an emulator");
        if alice.is_some() {
            report_pages(emulator.host()).await;
        }
        emulator.shutdown().await;
    });
}

/// Reads all rows of conversations and messages.
fn read(folder: &Path) {
    let began = Instant::now();
    let database = open(folder);
    let mut bytes = 0;
    for (table, columns) in [("conversations", 3), ("messages", 4)] {
        let select = format!("SELECT * FROM {table}");
        let mut statement = database.prepare(&select).expect("a table");
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                bytes += row.get::<_, String>(column).expect("text").len();
            }
        }
    }
    assert!(bytes > 0, "there are no rows");
    report(began.elapsed());
}

fn open(folder: &Path) -> Connection {
    Connection::open(folder.join("talk.sqlite")).expect("a database")
}

/// Stores a conversation with a message, and copies their rows.
fn write(folder: &Path) {
    let text = "A message of some fifty characters, a usual length.";
    let seed = Seed::new("app")
        .user("alice", "Alice")
        .user("bob", "Bob")
        .conversation("0", ["alice", "bob"])
        .message("0", "alice", text);
    runtime().expect("a runtime").block_on(async {
        let emulator = Emulator::builder().data(folder).initial_data(seed).start();
        emulator.await.expect("an emulator").shutdown().await;
    });
    let mut database = open(folder);
    let conversation: String = database
        .query_row("SELECT data FROM conversations", [], |row| row.get(0))
        .expect("a conversation");
    let message: String = database
        .query_row("SELECT data FROM messages", [], |row| row.get(0))
        .expect("a message");
    let mut message: Value = serde_json::from_str(&message).expect("JSON");
    let first = message["created_at"].as_u64().expect("a time");
    let transaction = database.transaction().expect("a transaction");
    let insert = |table: &str, places: &str| {
        let insert = format!("REPLACE INTO {table} VALUES ({places})");
        transaction.prepare(&insert).expect("a table")
    };
    let mut conversations = insert("conversations", "'app', ?, ?");
    let mut messages = insert("messages", "'app', ?, ?, ?");
    for id in 0..CONVERSATIONS {
        let id = id.to_string();
        let row = params![id, conversation];
        conversations.execute(row).expect("a conversation");
        for at in 1..MESSAGES + u64::from(id != "0") {
            // Identifiers are random, so that messages are not read in their order.
            let number = (at * 0x9E37_79B9).wrapping_mul(0x85EB_CA6B);
            let message_id = format!("msg_{number:020}");
            message["id"] = message_id.as_str().into();
            message["created_at"] = (first + at).into();
            let row = params![id, message_id, message.to_string()];
            messages.execute(row).expect("a message");
        }
    }
    drop((conversations, messages));
    transaction.commit().expect("a commit");
}
