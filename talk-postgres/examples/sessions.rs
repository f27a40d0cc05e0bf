//! Measures the time that a database takes to store an answered message, for sessions that answer
//! one message a second each.
//!
//! ```text
//! cargo run --release -p talk-postgres --example sessions -- postgres://localhost/talk 100 400
//! ```
//!
//! The numbers are those of the sessions. Each session has a store of its own, as in a process of
//! its own, and needs two connections: set `max_connections` of the database accordingly. An
//! answered message is two writes, one after the other: the answer with the acknowledgement of the
//! message, and the receipt of the answer. The database carries the sessions if no message takes
//! a second.

use std::error::Error;
use std::time::{Duration, Instant};

use smol::Timer;
use talk_client::TalkOptions;
use talk_client::store::{Change, Record, Store};
use talk_postgres::PostgresStore;

/// The duration of a measurement in seconds, which is the number of messages of a session.
const SECONDS: u32 = 20;

/// The time in which all sessions connect.
const CONNECT: Duration = Duration::from_secs(10);

/// The size of a record of an answer.
const ANSWER: usize = 300;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().ok_or("the address of a database is missing")?;
    println!("sessions   median     99 %  longest");
    for sessions in args {
        let mut times = smol::block_on(measure(&address, sessions.parse()?))?;
        times.sort_unstable();
        let at = |percent: usize| {
            let time = times.get(times.len().saturating_sub(1) * percent / 100);
            time.map_or(0, Duration::as_millis)
        };
        let [median, most, longest] = [50, 99, 100].map(at);
        println!("{sessions:>8}  {median:>4} ms  {most:>4} ms  {longest:>4} ms");
    }
    Ok(())
}

/// Returns the time of each message, from the start of its second.
async fn measure(address: &str, sessions: u32) -> Result<Vec<Duration>> {
    let start = Instant::now() + CONNECT;
    let sessions = (0..sessions).map(|number| {
        let first = start + Duration::from_secs(1) * number / sessions;
        smol::spawn(run(address.to_owned(), number, first))
    });
    let sessions: Vec<_> = sessions.collect();
    let mut times = Vec::new();
    for session in sessions {
        times.extend(session.await?);
    }
    Ok(times)
}

/// Handles one message a second, the first one at `first`.
async fn run(address: String, number: u32, first: Instant) -> Result<Vec<Duration>> {
    let store = PostgresStore::new(&address)?;
    let key = TalkOptions::new("app", format!("user-{number}"))?.store_key();
    let _lease = store.lock(&key).await?;
    if Instant::now() >= first {
        return Err("the sessions did not connect in time".into());
    }
    let put = |key: &str| Change::Put(Record::new(key, "x".repeat(ANSWER)));
    let mut times = Vec::new();
    for message in 0..SECONDS {
        let due = first + Duration::from_secs(1) * message;
        Timer::at(due).await;
        let answer = vec![put("outbox/entry/1"), put("inbox/bot/conversation")];
        store.apply(&key, answer).await?;
        let delete = Change::Delete {
            key: "outbox/entry/1".to_owned(),
        };
        let receipt = vec![delete, put("outbox/receipt/1")];
        store.apply(&key, receipt).await?;
        times.push(due.elapsed());
    }
    store.clear(&key).await?;
    Ok(times)
}
