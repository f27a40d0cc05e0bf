//! The memory of a connected session: no buffer is larger than necessary.
//!
//! It runs in a process of its own, because it counts the heap.

#![allow(clippy::unwrap_used, clippy::panic)]

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

const SESSIONS: usize = 200;

/// The limit for a session and the server's end of its connection. The WebSocket crate's default
/// read buffer is four times as large.
const ENOUGH: usize = 32 << 10;

fn bytes_in_use() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

#[tokio::test]
async fn connected_session_uses_less_than_32_kib() {
    let runtime = Counting::new(InMemory::new(TokioRuntime::current().unwrap()));
    let connect = async |number: usize| {
        let options = TalkOptions::new("app", format!("user {number}")).unwrap();
        let options = options.host("127.0.0.1:1").token("token");
        let session = get_talk_session_on(&runtime, options);
        let messages = session.conversation("c").unwrap().subscribe_messages();
        messages.connected().await.unwrap();
        (session, messages)
    };
    // The first session pays for shared allocations.
    let first = connect(0).await;
    let before = bytes_in_use();
    let others = join_all((1..=SESSIONS).map(connect)).await;
    let each = (bytes_in_use() - before) / SESSIONS;
    assert!(each < ENOUGH, "{each} bytes for each session");
    drop((first, others));
    runtime.unused().await;
}
