//! Sessions that are made and dropped leave nothing behind: no task, no socket, no memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory_server;

use std::alloc::System;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::io::{AsyncRead, AsyncWrite};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use talk_tokio::{Runtime, TalkOptions, TokioRuntime, get_talk_session_on};
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many sessions live at the same time.
const AT_ONCE: usize = 2_000;
const WAVES: usize = 5;

/// More than what the runtime and the system's allocator may keep for themselves, and less than any
/// allocation for each session would come to.
const SLACK: usize = AT_ONCE * WAVES * 8;

/// tokio, of which everything that a session holds is counted. Its sockets lead to a server in
/// memory, so that no limit of the system is in the way.
#[derive(Clone)]
struct Counting {
    inner: TokioRuntime,
    tasks: Counter,
    sleeps: Counter,
    sockets: Counter,
}

#[derive(Clone)]
struct Counter(watch::Sender<usize>);

/// One of what is counted.
struct Counted(Counter);

impl Counter {
    fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    fn one(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.clone())
    }

    async fn until_none(&self, what: &str) {
        let mut count = self.0.subscribe();
        let none = count.wait_for(|count| *count == 0);
        let outcome = tokio::time::timeout(Duration::from_secs(60), none).await;
        assert!(outcome.is_ok(), "{} {what} are left", *self.0.borrow());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

impl Counting {
    fn new() -> Self {
        Self {
            inner: TokioRuntime::current().unwrap(),
            tasks: Counter::new(),
            sleeps: Counter::new(),
            sockets: Counter::new(),
        }
    }
}

impl Runtime for Counting {
    type TcpStream = CountedStream;

    async fn connect_tcp(&self, _: SocketAddr) -> io::Result<CountedStream> {
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(memory_server::serve(theirs));
        Ok(CountedStream {
            stream: ours.compat(),
            _counted: self.sockets.one(),
        })
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (sleep, counted) = (self.inner.sleep(duration), self.sleeps.one());
        async move {
            let _counted = counted;
            sleep.await;
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let counted = self.tasks.one();
        self.inner.spawn(async move {
            let _counted = counted;
            task.await;
        });
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        self.inner.spawn_blocking(work);
    }
}

struct CountedStream {
    stream: Compat<DuplexStream>,
    _counted: Counted,
}

impl AsyncRead for CountedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

/// The ways in which people are done with a session.
async fn use_session(runtime: &Counting, number: usize) {
    let options = TalkOptions::new("app", format!("user {number}")).unwrap();
    let options = options.host("127.0.0.1:1").token("token");
    let session = get_talk_session_on(runtime, options);
    session.on_error(move |error| eprintln!("{number}: {error}"));
    let conversation = session.conversation("c").unwrap();
    match number % 4 {
        // Never used.
        0 => {}
        // Dropped while a call is under way, and a subscription that nothing has come of.
        1 => {
            let call = tokio::spawn(conversation.send("hi"));
            let _pending = session.current_user().subscribe();
            session.on_need_token(|session| session.set_token("another"));
            tokio::task::yield_now().await;
            call.abort();
        }
        // Shut down.
        2 => {
            conversation.mark_as_read().await.unwrap();
            session.shutdown().await;
        }
        // Dropped when all is quiet.
        _ => {
            let messages = conversation.subscribe_messages();
            messages.connected().await.unwrap();
            conversation.send("hi").await.unwrap();
        }
    }
}

fn bytes_in_use() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

// One thread: what the runtime itself allocates is the same in every run.
#[tokio::test]
async fn ten_thousand_sessions_made_and_dropped_leave_nothing_behind() {
    let runtime = Counting::new();
    let wave = async || {
        join_all((0..AT_ONCE).map(|number| use_session(&runtime, number))).await;
        runtime.tasks.until_none("tasks").await;
        runtime.sockets.until_none("sockets").await;
        runtime.sleeps.until_none("sleeps").await;
        // The ends of the server see that ours are gone.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        bytes_in_use()
    };
    // The first wave pays for what the runtime keeps to use it again.
    let before = wave().await;
    for _ in 0..WAVES {
        let after = wave().await;
        assert!(
            after <= before + SLACK,
            "{} bytes were left behind",
            after.saturating_sub(before)
        );
    }
}
