//! What happens at the same time, in many orders: shuttle lets the threads change places wherever a
//! lock is taken, runs each test in thousands of ways, and fails where nobody can go on.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test -p talk-client --lib shuttle_tests::`

mod command_queue;
mod lifetime;
mod runtime;
mod slot;
mod termination;
mod watch;

/// In how many orders each scenario runs, for each way to choose them.
const ORDERS: usize = 1_000;

/// How many times the one thread that may go on is changed on purpose. Most races need two.
const CHANGES: usize = 3;

/// Runs a scenario in many orders: random ones, which change places all the time, and those in which
/// a thread is overtaken seldom and for long.
fn check_interleavings(scenario: impl Fn() + Send + Sync + 'static) {
    let scenario = std::sync::Arc::new(scenario);
    let again = std::sync::Arc::clone(&scenario);
    shuttle::check_random(move || scenario(), ORDERS);
    shuttle::check_pct(move || again(), ORDERS, CHANGES);
}
