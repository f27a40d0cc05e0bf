//! The simulation detects each fault that is injected into the core.

#![cfg(talk_fault_injection)]

use talk_proto::FaultInjection;
use talk_simulation::{live, replay, shrink, store_seed};

/// The number of runs after which a fault counts as undetected.
const LIVES: u64 = 40;
const STEPS: u64 = 4_000;

/// The number of further runs in worlds whose lists have several pages.
const PAGED_LIVES: u64 = 120;

/// The faults that only worlds with stores detect.
const OF_STORES: [FaultInjection; 8] = [
    FaultInjection::ForgottenUnseen,
    FaultInjection::SentUnstored,
    FaultInjection::NewKeyAtRestart,
    FaultInjection::KeptEcho,
    FaultInjection::OrderLostAfter429,
    FaultInjection::SkippedHeldHead,
    FaultInjection::UploadedTwice,
    FaultInjection::CacheShownLive,
];
/// The number of steps in worlds with stores after which a fault counts as undetected.
const STORE_STEPS: u64 = 200_000;

/// Returns the first rule that a run with `fault` breaks, and the number of steps until then.
fn detect(fault: FaultInjection) -> Option<(String, u64)> {
    FaultInjection::set(Some(fault));
    let paged = (0..PAGED_LIVES).map(|n| LIVES + 8 * n + 5);
    let (seeds, limit): (Box<dyn Iterator<Item = u64>>, _) = if OF_STORES.contains(&fault) {
        (Box::new((0..).map(store_seed)), STORE_STEPS)
    } else {
        (Box::new((0..LIVES).chain(paged)), u64::MAX)
    };
    let mut steps = 0;
    let mut detected = None;
    for seed in seeds {
        let outcome = live(seed, STEPS);
        steps += outcome.steps;
        if steps > limit {
            break;
        }
        if let Some(failure) = outcome.failure {
            detected = Some((failure.rule, steps));
            break;
        }
    }
    FaultInjection::set(None);
    detected
}

#[test]
fn injected_faults_are_detected() {
    for fault in FaultInjection::ALL {
        let detected = detect(fault);
        println!("{fault:?}: {detected:?}");
        assert!(detected.is_some(), "{fault:?} is not detected");
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
