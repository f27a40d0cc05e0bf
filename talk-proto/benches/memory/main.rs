//! The heap usage of the core, in requested bytes.
//!
//! ```sh
//! cargo bench -p talk-proto --bench memory            # a table
//! cargo bench -p talk-proto --bench memory -- --json
//! cargo bench -p talk-proto --bench memory -- --rows E,P-stalled  # some rows
//! ```
//!
//! The exit code is 1 if a ratio exceeds its goal, or the ceiling of a goal that is known as
//! missed.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

#[path = "../support/mod.rs"]
mod support;

use std::alloc::System;
use std::env;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use talk_proto::Topic;

use self::support::backlog::{self, Backlog};
use self::support::client::{Client, messages};
use self::support::frames;
use self::support::server::Server;
use self::support::store;
use self::support::table::{self, Goal, Row, Selection};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The maximum heap usage of a session.
const IDLE: f64 = 4.0 * 1024.0;
const WITH_MESSAGES: f64 = 32.0 * 1024.0;
/// The number of messages that are loaded to measure the size of one.
const MESSAGES: u64 = 10_000;
const SESSIONS: usize = 100;
/// The number of conversations that are loaded to measure the size of one.
const CONVERSATIONS: u64 = 3_000;
/// The number of entries that are enqueued to measure the size of one.
const ENTRIES: u64 = 10_000;
/// The number of conversations with news for a stalled inbox.
const INBOX: u64 = 10_000;
/// The maximum heap usage of a conversation of an inbox.
const INBOX_CONVERSATION: f64 = 2.0 * 1024.0;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let selection = Selection::parse(&arguments);
    let mut rows = Vec::new();
    if selection.wants_any('E') {
        rows.extend(session_rows());
        rows.push(conversation_row());
    }
    if selection.wants("O-entry") {
        rows.push(entry_row());
    }
    if selection.wants("P-stalled") {
        rows.push(inbox_row());
    }
    rows.retain(|row| selection.wants(row.id));
    table::print(&rows, as_json)
}

/// Measures sessions with few messages, and one message of many.
fn session_rows() -> [Row; 3] {
    let idle = held(SESSIONS, || Client::connected(30)) / SESSIONS as f64;
    let showing = held(SESSIONS, || session_showing(30)) / SESSIONS as f64;
    let loaded = held(1, || session_showing(MESSAGES)) - held(1, || session_showing(30));
    let message = loaded / (MESSAGES - 30) as f64;
    let frame = frames::publishes(MESSAGES, 1, frames::created)[0].len();
    [
        Row {
            id: "E-idle",
            what: format!("a session without a subscription, against 4 KiB ({idle:.0} B)"),
            ratio: idle / IDLE,
            goal: Some(Goal::of(1.0)),
        },
        Row {
            id: "E-30",
            what: format!("a session that shows 30 messages, against 32 KiB ({showing:.0} B)"),
            ratio: showing / WITH_MESSAGES,
            goal: Some(Goal::of(1.0)),
        },
        Row {
            id: "E-message",
            what: format!("a loaded message, against its frame ({message:.0} : {frame} B)"),
            ratio: message / frame as f64,
            goal: Some(Goal::of(1.3)),
        },
    ]
}

/// Compares a conversation of a loaded list with the frames that loaded it.
fn conversation_row() -> Row {
    let [few, many] = [20, CONVERSATIONS];
    let more = (many - few) as f64;
    let held_by = |count| held(1, || session_listing(count));
    let conversation = (held_by(many) - held_by(few)) / more;
    let received = |count| session_listing(count).bytes_received();
    let frames = (received(many) - received(few)) as f64 / more;
    Row {
        id: "E-list",
        what: format!(
            "a loaded conversation, against its frames ({conversation:.0} : {frames:.0} B)"
        ),
        ratio: conversation / frames,
        goal: Some(Goal::of(1.5)),
    }
}

/// Compares an entry of the outbox with its record.
fn entry_row() -> Row {
    let records = store::entries(ENTRIES);
    let size = records.iter().map(|it| it.key.len() + it.value.len());
    let record = size.sum::<usize>() as f64 / ENTRIES as f64;
    let entries = held(1, || Client::queueing(ENTRIES)) - held(1, || Client::queueing(0));
    let entry = entries / ENTRIES as f64;
    Row {
        id: "O-entry",
        what: format!("an entry of the outbox, against its record ({entry:.0} : {record:.0} B)"),
        ratio: entry / record,
        goal: Some(Goal::of(2.0)),
    }
}

/// Measures a session with an inbox whose consumer acknowledges nothing.
fn inbox_row() -> Row {
    let backlog = || Backlog {
        conversations: INBOX,
        missed: 1,
    };
    let records = backlog::records(&backlog());
    let session = held(1, || {
        let client = Client::stalled(backlog(), &records);
        assert!(client.held_deliveries() > 0, "nothing is delivered");
        client
    });
    let conversation = session / INBOX as f64;
    Row {
        id: "P-stalled",
        what: format!(
            "a conversation of {INBOX} with news, while the consumer of their inbox acknowledges \
             nothing, against 2 KiB ({conversation:.0} B)"
        ),
        ratio: conversation / INBOX_CONVERSATION,
        goal: Some(Goal::of(1.0)),
    }
}

/// Returns a session that shows this many conversations, with the snapshot held by its user.
fn session_listing(count: u64) -> Client {
    let mut client = Client::connected_to(Server {
        conversations: count,
        ..Server::default()
    });
    let id = client.subscribe(Topic::Conversations { filter: None });
    client.load_pages(id, 20, 30, count);
    client
}

/// Returns a session that shows this many messages, with the snapshot held by its user.
fn session_showing(count: u64) -> Client {
    let mut client = Client::connected(count);
    let id = client.subscribe(messages());
    client.load(id, count);
    client
}

/// Returns the bytes of this many idle clients, including their heap usage.
fn held(count: usize, make: impl Fn() -> Client) -> f64 {
    let mut clients = Vec::with_capacity(count);
    let region = Region::new(HEAP);
    for _ in 0..count {
        let mut client = make();
        client.tick();
        clients.push(client);
    }
    let change = region.change();
    drop(clients);
    let heap = change.bytes_allocated as f64 - change.bytes_deallocated as f64;
    heap + (count * size_of::<Client>()) as f64
}
