//! Idempotency keys.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{START, World, millis, send, unpaced};

/// The characters of a key, in ASCII order.
const ALPHABET: &str = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// Decodes a string in base 64, most significant digit first.
fn number(text: &str) -> Option<u64> {
    text.chars().try_fold(0, |number, c| {
        Some(number * 64 + u64::try_from(ALPHABET.find(c)?).ok()?)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn keys_are_unique_and_sort_by_time(
        seed: u64,
        pauses in vec(prop_oneof![Just(0), 1..5_000_u64, 0..10_000_000_u64], 1..60),
    ) {
        let mut world = World::seeded(unpaced(), seed);
        let mut times = Vec::new();
        for pause in pauses {
            world.run_for(millis(pause));
            times.push(world.now);
            world.call(send("c1", "text"));
        }
        world.run();
        let sends = world.log.of("POST /conversations/c1/messages");
        let keys: Vec<_> = sends
            .iter()
            .map(|request| request.data["idempotencyKey"].as_str().expect("a key"))
            .collect();
        prop_assert_eq!(keys.len(), times.len());
        for (key, at) in keys.iter().zip(&times) {
            prop_assert_eq!(key.len(), 20);
            prop_assert!(key.chars().all(|c| ALPHABET.contains(c)), "{key}");
            prop_assert_eq!(number(&key[..8]), u64::try_from(at.as_millis()).ok());
            prop_assert!(*at >= START);
        }
        prop_assert!(keys.is_sorted_by_key(|key| &key[..8]));
        prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }
}
