//! The simulation detects each fault that is injected into the core.

#![cfg(talk_fault_injection)]

use talk_proto::FaultInjection;
use talk_tests::simulation::{live, replay, shrink};

/// The number of runs after which a fault counts as undetected.
const LIVES: u64 = 40;
const STEPS: u64 = 4_000;

/// The number of further runs in worlds whose lists have several pages.
const PAGED_LIVES: u64 = 120;

/// Returns the first rule that a run with `fault` breaks.
fn detect(fault: FaultInjection) -> Option<String> {
    FaultInjection::set(Some(fault));
    let paged = (0..PAGED_LIVES).map(|n| LIVES + 8 * n + 5);
    let seeds = (0..LIVES).chain(paged);
    let failures = seeds.filter_map(|seed| live(seed, STEPS).failure);
    let rule = failures.map(|failure| failure.rule).next();
    FaultInjection::set(None);
    rule
}

#[test]
fn injected_faults_are_detected() {
    for fault in FaultInjection::ALL {
        let rule = detect(fault);
        println!("{fault:?}: {rule:?}");
        assert!(rule.is_some(), "{fault:?} is not detected");
    }
}

#[test]
fn failing_run_is_shortened() {
    FaultInjection::set(Some(FaultInjection::OffByOneWindow));
    let failed = live(1, STEPS);
    let (ops, failure) = shrink(1, &failed);
    assert!(failure.is_some());
    assert!(ops.len() < failed.ops.len() / 4, "{} ops", ops.len());
    assert_eq!(replay(1, &ops, false).failure, failure);
    FaultInjection::set(None);
    assert_eq!(replay(1, &ops, false).failure, None);
}
