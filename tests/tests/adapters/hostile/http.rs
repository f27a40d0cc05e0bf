//! HTTP responses without an end.

use std::sync::Arc;

use talk_client::{
    Error, Limits, ServerError, TalkOptions, TransportError, UploadMetadata, UploadSource,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::SYSTEM_BUFFERS;
use super::attack::{Attack, Taken, connected};
use super::front::Front;
use crate::adapters::adapter::Adapter;

const PAGE: usize = 1 << 20;

/// Endless responses, and the number of bytes that clients accepted.
#[derive(Clone)]
struct Endless {
    head: String,
    chunk: String,
    taken: Taken,
    /// Has a permit for each client that has closed its connection.
    left: Arc<Semaphore>,
}

impl Endless {
    /// Creates responses that consist of `start` and endless repetitions of `repeated`.
    fn new(status: u16, start: &str, repeated: &str) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n{start}"),
            chunk: repeated.repeat(1 + (64 << 10) / repeated.len()),
            taken: Taken::default(),
            left: Arc::new(Semaphore::new(0)),
        }
    }

    fn attack(&self) -> Attack {
        let this = self.clone();
        connected(move |mut stream: TcpStream| {
            let this = this.clone();
            async move {
                if read_head(&mut stream).await
                    && stream.write_all(this.head.as_bytes()).await.is_ok()
                {
                    this.taken.feed(&mut stream, this.chunk.as_bytes()).await;
                }
                this.left.add_permits(1);
            }
        })
    }

    /// Waits until this many clients have closed their connections. Returns the largest number of
    /// bytes that one of them accepted.
    async fn taken_until_left(&self, clients: u32) -> usize {
        let _permits = self.left.acquire_many(clients).await.unwrap();
        self.taken.bytes()
    }
}

async fn read_head(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => seen.push(byte),
            Err(_) => return false,
        }
    }
    true
}

fn small_pages(options: TalkOptions) -> TalkOptions {
    let mut limits = Limits::default();
    limits.frame_size = PAGE;
    options.limits(limits)
}

async fn search_response_without_end_is_cut_off<A: Adapter>() {
    let result = "{\"id\":\"c1\"}\n,";
    for (name, start, repeated) in [
        ("results", "{\"data\":[\n", result),
        ("unreadable results", "{\"data\":[\n", "7\n"),
        ("empty lines", "{\"data\":[\n", "\n"),
        ("empty lines before the start", "", "\n"),
        ("one line", "{\"data\":[\n", "x"),
    ] {
        let endless = Endless::new(200, start, repeated);
        let front = Front::start_http(endless.attack());
        let session = A::session(small_pages(front.options()));
        let search = session.search_conversations();
        let query = search.set_query("anything", None).await;
        let too_large = Error::Transport(TransportError::ResponseTooLarge);
        assert_eq!(query.unwrap_err(), too_large, "{name}");
        let taken = endless.taken_until_left(1).await;
        assert!(taken < PAGE + SYSTEM_BUFFERS, "{name}: {taken}");
    }
}

async fn refusal_without_end_is_cut_off<A: Adapter>() {
    let endless = Endless::new(403, "", "}");
    let front = Front::start_http(endless.attack());
    let session = A::session(front.options());
    let search = session.search_messages();
    let query = search.set_query("anything", None).await;
    let refused = Error::Server(ServerError::new(403, "", vec![]));
    assert_eq!(query.unwrap_err(), refused);

    let file = UploadMetadata::named("notes.txt");
    let upload = session
        .upload_file(UploadSource::bytes("hello"), file)
        .await;
    assert_eq!(upload.unwrap_err(), refused);
    // The third connection is the app check.
    let taken = endless.taken_until_left(3).await;
    assert!(taken < SYSTEM_BUFFERS, "{taken}");
}

async fn token_response_without_end_is_cut_off<A: Adapter>() {
    let endless = Endless::new(200, "{\"boken\": \"", "x");
    let front = Front::start_http(endless.attack());
    let options = TalkOptions::new("app", "alice").unwrap();
    let session = A::session(options.addresses(front.addresses()));
    let _call = A::spawn(session.current_user().set(Default::default()));
    // The second connection is the app check.
    let taken = endless.taken_until_left(2).await;
    assert!(taken < SYSTEM_BUFFERS, "{taken}");
}

on_every_runtime!(
    search_response_without_end_is_cut_off,
    refusal_without_end_is_cut_off,
    token_response_without_end_is_cut_off,
);
