//! Resources after heavy use of sessions: a dropped session releases everything, and an idle one
//! has no timer and no socket. All runtimes run at the same time.
//!
//! They run in a process of their own, because the test counts the heap.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../counting/mod.rs"]
mod counting;
mod emulator;
mod relay;
mod usage;

use std::alloc::System;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use talk_async_std::AsyncStdRuntime;
use talk_client::{ConnectionState, Runtime, get_talk_session_on};
use talk_smol::SmolRuntime;
use talk_tokio::TokioRuntime;

use crate::counting::{Counting, Held};
use crate::emulator::EmulatorProcess;
use crate::relay::Relay;
use crate::usage::{use_a_little, use_everything};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The number of rounds. The first one pays the one-time costs.
const ROUNDS: usize = 3;

/// The number of sessions in a round on each runtime.
const SESSIONS: usize = 3;

/// The tolerance for growth after the first round, in bytes: 1 KiB for each of the 18 sessions of
/// the later rounds. It covers memory that runtimes and the system retain.
const SLACK: usize = 18 << 10;

/// A point at which a runtime waits for the others and for the measurement of the heap.
struct Pause {
    used: Sender<()>,
    looked: Receiver<()>,
}

impl Pause {
    fn wait(&self) {
        self.used.send(()).unwrap();
        self.looked.recv().unwrap();
    }
}

#[test]
fn sessions_idle_hold_no_resources() {
    let emulator = EmulatorProcess::start();
    let servers = tokio::runtime::Runtime::new().unwrap();
    let relays = || [(); 2].map(|()| servers.block_on(Relay::start(emulator.host.clone())));
    let mut watched = Vec::new();
    let mut pause = || {
        let (used, is_used) = mpsc::channel();
        let (look, looked) = mpsc::channel();
        watched.push((is_used, look));
        Pause { used, looked }
    };

    let (relays_there, pause_there) = (relays(), pause());
    let on_tokio = thread::spawn(move || {
        let tokio = tokio::runtime::Runtime::new().unwrap();
        let runtime = TokioRuntime::new(tokio.handle().clone());
        tokio.block_on(go_round(runtime, "tokio", relays_there, pause_there));
    });
    let (relays_there, pause_there) = (relays(), pause());
    let on_async_std = thread::spawn(move || {
        async_std::task::block_on(go_round(
            AsyncStdRuntime,
            "async-std",
            relays_there,
            pause_there,
        ));
    });
    let (relays_there, pause_there) = (relays(), pause());
    let on_smol = thread::spawn(move || {
        smol::block_on(go_round(
            SmolRuntime::global(),
            "smol",
            relays_there,
            pause_there,
        ));
    });

    let in_use = [(); ROUNDS].map(|()| {
        for (is_used, _) in &watched {
            is_used.recv().expect("a runtime has failed");
        }
        let stats = HEAP.stats();
        for (_, look) in &watched {
            look.send(()).unwrap();
        }
        stats.bytes_allocated - stats.bytes_deallocated
    });
    for after in &in_use[1..] {
        let most = in_use[0] + SLACK;
        assert!(*after <= most, "in use after each round: {in_use:?}");
    }
    for thread in [on_tokio, on_async_std, on_smol] {
        thread.join().unwrap();
    }
}

/// Uses sessions in every way, and drops all but one of them.
async fn go_round<R: Runtime>(
    runtime: R,
    runtime_name: &str,
    [relay, own_relay]: [Relay; 2],
    pause: Pause,
) {
    let around_held = Counting::new(runtime.clone());
    let held = get_talk_session_on(&around_held, own_relay.options(runtime_name));
    use_a_little(&held, runtime_name, &own_relay).await;

    let runtime = Counting::new(runtime);
    for round in 0..ROUNDS {
        for number in 0..SESSIONS {
            let name = format!("{runtime_name} {round} {number}");
            let session = get_talk_session_on(&runtime, relay.options(&name));
            use_everything(&session, &name, &relay).await;
        }
        runtime.unused().await;
        pause.wait();
    }

    // Lingering subscriptions have ended by themselves.
    let only_its_driver = Held {
        tasks: 1,
        ..Held::default()
    };
    around_held.until(only_its_driver).await;
    assert_eq!(held.connection_state(), ConnectionState::Idle);
    drop(held);
    around_held.unused().await;
}
