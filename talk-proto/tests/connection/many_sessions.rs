//! The reconnects of many sessions that lost the same server, for many seeds in virtual time.

use std::time::Duration;

use serde_json::json;
use talk_proto::{ConnectionState, SocketClosed, Topic};

use crate::support::{Network, World, conversation, options, seconds};

const SESSIONS: u64 = 500;

/// The number of a connection attempt, and the delay before it.
type Wait = (u32, Duration);

/// Returns the delays of all sessions after `strike`.
fn waits(strike: impl Fn(&mut World)) -> Vec<Wait> {
    let mut waits = Vec::new();
    for seed in 0..SESSIONS {
        let mut world = World::seeded(options(), seed);
        world.subscribe(Topic::Messages {
            conversation: conversation("c"),
        });
        world.run_for(seconds(11));
        assert_eq!(world.session.connection(), &ConnectionState::Ready);
        strike(&mut world);
        let states = world.log.states().into_iter();
        waits.extend(states.filter_map(|state| match state {
            ConnectionState::Waiting {
                since,
                until,
                attempt,
                ..
            } => Some((*attempt, until.saturating_since(*since))),
            _ => None,
        }));
    }
    waits
}

fn of_attempt(waits: &[Wait], number: u32) -> Vec<Duration> {
    let of_attempt = waits.iter().filter(|(attempt, _)| *attempt == number);
    of_attempt.map(|(_, wait)| *wait).collect()
}

/// Checks that almost all sessions waited. One in a thousand has no delay, which is not reported.
fn assert_all_waited(first: &[Duration]) {
    assert!(
        first.len() as f64 > 0.98 * SESSIONS as f64,
        "{}",
        first.len()
    );
}

/// Checks that each tenth of the range contains a tenth of the delays, within four standard
/// deviations.
fn assert_uniform(waits: &[Duration], range: Duration) {
    let expected = waits.len() as f64 / 10.0;
    let allowed = 4.0 * (expected * 0.9).sqrt();
    for tenth in 0..10 {
        let (from, to) = (range * tenth / 10, range * (tenth + 1) / 10);
        let inside = |wait: &&Duration| (from..to).contains(*wait);
        let count = waits.iter().filter(inside).count() as f64;
        assert!(
            (count - expected).abs() <= allowed,
            "{count} of {} from {from:?} to {to:?}",
            waits.len()
        );
    }
    assert!(waits.iter().all(|wait| *wait <= range));
}

#[test]
fn restart_unplanned_reconnects_with_full_jitter() {
    let waits = waits(|world| {
        world.network = Network::Refuse;
        world.cut();
        world.run_for(seconds(150));
    });
    let first = of_attempt(&waits, 1);
    assert_all_waited(&first);
    assert_uniform(&first, seconds(1));
    for (attempt, range) in [(2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30)] {
        assert_uniform(&of_attempt(&waits, attempt), seconds(range));
    }
}

#[test]
fn restart_planned_spreads_sessions_evenly() {
    let waits = waits(|world| {
        world.publish(&[json!({"type": "upstream.restarting"})]);
        world.close(SocketClosed::ByServer { code: Some(1012) });
        world.run_for(seconds(11));
        assert_eq!(world.session.connection(), &ConnectionState::Ready);
    });
    let mut first = of_attempt(&waits, 1);
    assert_eq!(first.len(), waits.len(), "nobody needed a second attempt");
    assert_all_waited(&first);
    assert_uniform(&first, seconds(10));
    first.sort_unstable();
    for (index, from) in first.iter().enumerate() {
        let window = first[index..].partition_point(|wait| *wait < *from + seconds(1));
        assert!(
            window as f64 <= 0.15 * SESSIONS as f64,
            "{window} at {from:?}"
        );
    }
}
