//! After everything that can happen to a session, one that is wanted for nothing holds nothing: no
//! timer, no socket, no memory. On every runtime at the same time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../counting/mod.rs"]
mod counting;
mod emulator;
mod relay;
mod usage;

use std::alloc::System;
use std::sync::Barrier;
use std::thread;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use talk_async_std::AsyncStdRuntime;
use talk_client::{ConnectionState, Runtime, get_talk_session_on};
use talk_smol::SmolRuntime;
use talk_tokio::TokioRuntime;

use crate::counting::{Counting, Held};
use crate::emulator::EmulatorProcess;
use crate::relay::Relay;
use crate::usage::use_everything;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often everything happens. The first time pays for what is there once.
const ROUNDS: usize = 3;

/// How many sessions are made and dropped in a round, on each runtime.
const SESSIONS: usize = 8;

/// How much more may be in use after a round, in bytes: for what runtimes and the system keep, and
/// less than a kilobyte for each session.
const SLACK: usize = 16 << 10;

/// Where the runtimes wait for each other, and for the look at the heap.
struct Rounds {
    used: Barrier,
    looked: Barrier,
}

#[test]
fn a_session_that_is_wanted_for_nothing_holds_nothing() {
    let emulator = EmulatorProcess::start();
    let servers = tokio::runtime::Runtime::new().unwrap();
    let relays = || [(); 2].map(|()| servers.block_on(Relay::start(emulator.host.clone())));
    let runtimes = 3;
    let rounds = Rounds {
        used: Barrier::new(runtimes + 1),
        looked: Barrier::new(runtimes + 1),
    };
    thread::scope(|scope| {
        let [on_tokio, on_async_std, on_smol] = [relays(), relays(), relays()];
        scope.spawn(|| {
            let tokio = tokio::runtime::Runtime::new().unwrap();
            let runtime = TokioRuntime::new(tokio.handle().clone());
            tokio.block_on(go_round(runtime, on_tokio, &rounds));
        });
        scope.spawn(|| async_std::task::block_on(go_round(AsyncStdRuntime, on_async_std, &rounds)));
        scope.spawn(|| smol::block_on(go_round(SmolRuntime::global(), on_smol, &rounds)));

        let in_use = [(); ROUNDS].map(|()| {
            rounds.used.wait();
            let stats = HEAP.stats();
            rounds.looked.wait();
            stats.bytes_allocated - stats.bytes_deallocated
        });
        for after in &in_use[1..] {
            assert!(
                *after <= in_use[0] + SLACK,
                "in use after each round: {in_use:?}"
            );
        }
    });
}

/// Uses sessions in every way, and lets go of everything but one of them.
async fn go_round<R: Runtime>(runtime: R, [relay, own_relay]: [Relay; 2], rounds: &Rounds) {
    let runtime = Counting::new(runtime);
    let held = get_talk_session_on(&runtime, relay.options("alice"));
    for _ in 0..ROUNDS {
        use_everything(&held, &relay).await;
        for number in 0..SESSIONS {
            let options = own_relay.options(&format!("user {number}"));
            let session = get_talk_session_on(&runtime, options);
            use_everything(&session, &own_relay).await;
        }
        // What lingers goes by itself.
        let driver_alone = Held {
            tasks: 1,
            ..Held::default()
        };
        runtime.until(driver_alone).await;
        assert_eq!(held.connection_state(), ConnectionState::Idle);
        rounds.used.wait();
        rounds.looked.wait();
    }
    drop(held);
    runtime.unused().await;
}
