//! Sessions that are created and dropped release everything: tasks, sockets and memory.
//!
//! They run in a process of their own, because the test counts the heap.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod counting;
mod memory_server;

use std::alloc::System;

use futures_util::future::join_all;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use talk_tokio::{TalkOptions, TokioRuntime, get_talk_session_on};

use crate::counting::Counting;
use crate::memory_server::InMemory;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The number of sessions at the same time.
const AT_ONCE: usize = 2_000;
const WAVES: usize = 5;

/// The tolerance for memory that the runtime and the system's allocator retain. It is smaller than
/// any allocation per session would be.
const SLACK: usize = AT_ONCE * WAVES * 8;

/// Uses a session and ends it in one of several ways.
async fn use_session(runtime: &Counting<InMemory>, number: usize) {
    let options = TalkOptions::new("app", format!("user {number}")).unwrap();
    let options = options.host("127.0.0.1:1").token("token");
    let session = get_talk_session_on(runtime, options);
    session.on_error(move |error| eprintln!("{number}: {error}"));
    let conversation = session.conversation("c").unwrap();
    match number % 4 {
        // The session is never used.
        0 => {}
        // The session is dropped during a call and before the first snapshot of a subscription.
        1 => {
            let call = tokio::spawn(conversation.send("hi"));
            let _pending = session.current_user().subscribe();
            session.on_need_token(|session| session.set_token("another"));
            tokio::task::yield_now().await;
            call.abort();
        }
        // The session is shut down.
        2 => {
            conversation.mark_as_read().await.unwrap();
            session.shutdown().await;
        }
        // The session is dropped while nothing is pending.
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

// On a single thread, the runtime's own allocations are the same in every run.
#[tokio::test]
async fn sessions_dropped_release_all_memory() {
    let runtime = Counting::new(InMemory::new(TokioRuntime::current().unwrap()));
    let wave = async || {
        join_all((0..AT_ONCE).map(|number| use_session(&runtime, number))).await;
        runtime.unused().await;
        // The server's tasks run until they have closed their ends of the connections.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        bytes_in_use()
    };
    // The first wave pays for memory that the runtime retains for reuse.
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
