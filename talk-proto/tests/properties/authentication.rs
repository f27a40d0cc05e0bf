//! The fetching of tokens, and the end of the session after rejected ones.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use talk_proto::SessionError;

use crate::support::{Answer, START, World, millis, options, seconds};

/// The lifetime below which a token is treated as rejected.
const MIN_LIFE: f64 = 120.0;
const DAY: u64 = 24 * 60 * 60;
/// The maximum age of a token in seconds.
const MAX_AGE: u64 = 20 * DAY;
/// The number of consecutive tokens that may be rejected or expire at once.
const MAX_REJECTED: usize = 5;

/// The server's treatment of a token.
#[derive(Clone, Copy, Debug)]
enum Taken {
    /// The token is accepted until the server reports its expiry.
    Good,
    Rejected,
    ShortLived,
}

/// Creates a session that always needs a connection. The server answers its tokens with `answers`.
fn world(answers: impl IntoIterator<Item = Answer> + 'static, seed: u64) -> World {
    let mut world = World::seeded(options(), seed);
    let (mut answers, mut answered) = (answers.into_iter(), std::collections::BTreeMap::new());
    world.script.add(move |request| {
        if request.path != "/session/renew" {
            return None;
        }
        let token = request.data["token"].to_string();
        if let Some(answer) = answered.get(&token) {
            return Some(Clone::clone(answer));
        }
        let answer = answers.next()?;
        answered.insert(token, answer.clone());
        Some(answer)
    });
    world.keep_connected();
    world.run();
    world
}

fn lives(seconds: Value) -> Answer {
    Answer::Reply(200, json!({"expiresInSeconds": seconds}))
}

/// Returns the time after which a token with this lifetime is refreshed, in whole seconds.
fn refresh_after(life: f64) -> u64 {
    let life = life as u64;
    let refresh = if life > 600 { life - 300 } else { life / 2 };
    refresh.min(MAX_AGE)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn token_refresh_is_scheduled_within_20_days(
        life in prop_oneof![
            120.0..1_300.0_f64,
            (120..1_300_u32).prop_map(f64::from),
            1_300.0..1e7_f64,
            1e7..1e300_f64,
        ],
    ) {
        let mut world = world([lives(json!(life)), lives(Value::Null)], 1);
        let due = START + seconds(refresh_after(life));
        if refresh_after(life) > 600 {
            // The machine sleeps, because weeks of heartbeats would add nothing to the test.
            world.sleep_until(START + seconds(refresh_after(life) - 60));
        }
        world.run_for(due.saturating_since(world.now) - millis(1));
        prop_assert_eq!(&world.log.token_fetches, &[START]);
        world.run_for(millis(1));
        prop_assert_eq!(&world.log.token_fetches, &[START, due]);
        prop_assert_eq!(world.log.tokens(), ["token-1", "token-2"]);
        prop_assert_eq!(world.log.sockets.len(), 1, "nothing is interrupted");
    }

    #[test]
    fn token_rejections_double_the_delay_until_five(
        taken in vec(
            prop_oneof![
                3 => Just(Taken::Good),
                2 => Just(Taken::Rejected),
                2 => Just(Taken::ShortLived),
            ],
            1..20,
        ),
        short in 0.0..MIN_LIFE,
        seed: u64,
    ) {
        let answers = taken.clone().into_iter().map(move |taken| match taken {
            Taken::Good => lives(Value::Null),
            Taken::Rejected => Answer::refuse(401, "UNAUTHORIZED"),
            Taken::ShortLived => lives(json!(short)),
        });
        let mut world = world(answers, seed);
        let (mut in_a_row, mut expected) = (0, vec![START]);
        for taken in &taken {
            let last = *expected.last().expect("one");
            match taken {
                Taken::Good => {
                    // An answered ping shows that the token is accepted. The token expires later,
                    // and the next one replaces it.
                    in_a_row = 0;
                    world.run_until(last + seconds(130));
                    world.publish(&[json!({"type": "session.expired"})]);
                    expected.push(world.now);
                }
                Taken::Rejected | Taken::ShortLived => {
                    in_a_row += 1;
                    if in_a_row == MAX_REJECTED {
                        break;
                    }
                    expected.push(last + seconds(1 << (in_a_row - 1)));
                }
            }
            world.run_until(*expected.last().expect("one"));
        }
        prop_assert_eq!(&world.log.token_fetches, &expected);
        let rejected = SessionError::TokensRejected { attempts: 5 };
        let end = (in_a_row == MAX_REJECTED).then_some(rejected);
        prop_assert_eq!(world.end(), end.as_ref());
    }
}
