//! Delays before retries.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use talk_proto::{ConnectionState, RequestError, SocketClosed};

use crate::support::{Answer, World, mark_as_read, millis, options, seconds};

/// The maximum delay between two connection attempts.
const RECONNECT_CAP: Duration = seconds(30);
/// The duration from which on a connection counts as healthy.
const HEALTHY_AFTER: Duration = seconds(10);
/// The maximum number of attempts for a call that the server fails to process.
const TRIES: usize = 10;

/// Creates a session with a call that is never answered, so that a connection is always needed.
fn needy(seed: u64) -> World {
    let mut world = World::seeded(options(), seed);
    world
        .script
        .add(|request| request.path.ends_with("/read").then_some(Answer::Silence));
    world.call(mark_as_read("c1"));
    world.run();
    world
}

fn run_until_ready(world: &mut World) {
    let end = world.now + seconds(31);
    while *world.session.connection() != ConnectionState::Ready {
        assert!(world.step(end), "not ready after {RECONNECT_CAP:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn reconnect_delay_doubles_until_healthy(
        seed: u64,
        lives in vec(prop_oneof![0..10_000_u64, 10_000..20_000_u64], 1..12),
    ) {
        let mut world = needy(seed);
        let mut failures = 0;
        for life in lives.into_iter().map(millis) {
            world.run_for(life);
            if life >= HEALTHY_AFTER {
                failures = 0;
            }
            world.close(SocketClosed::ByServer { code: Some(1006) });
            let lost_at = world.now;
            run_until_ready(&mut world);
            let asked_at = world.log.sockets.last().expect("a socket").asked_at;
            let delay = asked_at.saturating_since(lost_at);
            let bound = seconds(1).saturating_mul(1 << failures.min(10)).min(RECONNECT_CAP);
            prop_assert!(delay <= bound, "{delay:?} after {failures} failures");
            failures += 1;
        }
    }

    #[test]
    fn call_retry_delay_grows_and_resets(
        seed: u64,
        statuses in vec(vec(prop::sample::select(vec![429_u16, 500, 502, 503, 504]), 0..40), 1..3),
    ) {
        let mut world = World::seeded(options(), seed);
        for (number, statuses) in statuses.into_iter().enumerate() {
            let id = format!("c{number}");
            let path = format!("/me/conversations/{id}/read");
            let mut left = statuses.clone().into_iter();
            world.script.add(move |request| {
                let status = (request.path == path).then(|| left.next()).flatten()?;
                Some(Answer::refuse(status, "LATER"))
            });
            let request = world.call(mark_as_read(&id));
            world.run_until_resolved(seconds(3600));
            let failures = statuses.iter().enumerate().filter(|(_, status)| **status != 429);
            let given_up = failures.map(|(n, _)| n).nth(TRIES - 1);
            match world.outcome(request) {
                Ok(_) => prop_assert_eq!(given_up, None),
                Err(RequestError::Server(refused)) => {
                    let last = given_up.map(|n| statuses[n]);
                    prop_assert_eq!(last, Some(refused.status));
                }
                other => prop_assert!(false, "{other:?}"),
            }
            let tries = world.log.times_of(&format!("POST /me/conversations/{id}/read"));
            prop_assert_eq!(tries.len(), given_up.unwrap_or(statuses.len()) + 1);
            let mut expected = 200.0_f64;
            for pair in tries.windows(2) {
                let delay = pair[1].saturating_since(pair[0]).as_secs_f64() * 1000.0;
                // The clock of the core has millisecond resolution.
                let range = expected * 0.95 - 1.0..=expected * 1.05 + 1.0;
                prop_assert!(range.contains(&delay), "{delay} ms, not {expected}");
                expected = (expected * 1.2).min(30_000.0);
            }
        }
    }
}
