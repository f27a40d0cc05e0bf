//! Concurrency tests with shuttle, which switches threads at every lock, runs each test in
//! thousands of interleavings, and fails on a deadlock.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test -p talk-client --lib shuttle_tests::`

mod command_queue;
mod lifetime;
mod runtime;
mod slot;
mod termination;
mod watch;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// The size of the stack of a thread in bytes. Without optimisation, the start of a session needs
/// more than the default of 32 KiB.
const STACK_SIZE: usize = 256 << 10;

/// The number of interleavings of each scenario and scheduler.
const ORDERS: usize = 1_000;

/// The depth of the probabilistic scheduler. Most races need two context switches.
const CHANGES: usize = 3;

/// Runs a scenario with a random scheduler, which switches all the time, and with a probabilistic
/// one, which switches rarely and for long.
fn check_interleavings(scenario: impl Fn() + Send + Sync + 'static) {
    let scenario = std::sync::Arc::new(scenario);
    let again = std::sync::Arc::clone(&scenario);
    let mut config = Config::new();
    config.stack_size = STACK_SIZE;
    let random = RandomScheduler::new(ORDERS);
    Runner::new(random, config.clone()).run(move || scenario());
    let rare = PctScheduler::new(CHANGES, ORDERS);
    Runner::new(rare, config).run(move || again());
}
