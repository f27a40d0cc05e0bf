//! The test of the tests: a core that is broken on purpose is caught by the simulation.

use talk_proto::Sabotage;
use talk_tests::simulation::{live, replay, shrink};

/// So many lives are lived at most until one breaks a rule.
const LIVES: u64 = 40;
const STEPS: u64 = 4_000;

/// Lives until a rule is broken.
fn caught(sabotage: Sabotage) -> Option<String> {
    Sabotage::set(Some(sabotage));
    let failures = (0..LIVES).filter_map(|seed| live(seed, STEPS).failure);
    let rule = failures.map(|failure| failure.rule).next();
    Sabotage::set(None);
    rule
}

#[test]
fn every_sabotage_is_caught() {
    for sabotage in Sabotage::ALL {
        let rule = caught(sabotage);
        println!("{sabotage:?}: {rule:?}");
        assert!(rule.is_some(), "{sabotage:?} is not noticed");
    }
}

#[test]
fn a_life_that_breaks_a_rule_is_shortened() {
    Sabotage::set(Some(Sabotage::OffByOneWindow));
    let failed = live(1, STEPS);
    let (acts, failure) = shrink(1, &failed);
    assert!(failure.is_some());
    assert!(acts.len() < failed.acts.len() / 4, "{} acts", acts.len());
    assert_eq!(replay(1, &acts, false).failure, failure);
    Sabotage::set(None);
    assert_eq!(replay(1, &acts, false).failure, None);
}
