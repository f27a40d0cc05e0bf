//! Sessions that are made and dropped leave nothing behind: no task, no socket, no memory.

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

/// How many sessions live at the same time.
const AT_ONCE: usize = 2_000;
const WAVES: usize = 5;

/// More than what the runtime and the system's allocator may keep for themselves, and less than any
/// allocation for each session would come to.
const SLACK: usize = AT_ONCE * WAVES * 8;

/// The ways in which people are done with a session.
async fn use_session(runtime: &Counting<InMemory>, number: usize) {
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
    let runtime = Counting::new(InMemory::new(TokioRuntime::current().unwrap()));
    let wave = async || {
        join_all((0..AT_ONCE).map(|number| use_session(&runtime, number))).await;
        runtime.unused().await;
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
