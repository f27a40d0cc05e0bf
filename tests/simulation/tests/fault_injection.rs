//! The simulation detects each fault that is injected into the core.

#![cfg(talk_fault_injection)]

use talk_proto::FaultInjection;
use talk_simulation::{WorldKind, ignore_leases, live, replay, shrink, store_seed};

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
/// The faults that only worlds of bots detect.
const OF_BOTS: [FaultInjection; 5] = [
    FaultInjection::PositionBeforeReply,
    FaultInjection::AckedTogether,
    FaultInjection::ForgottenBacklog,
    FaultInjection::SkippedScan,
    FaultInjection::RandomReplyKey,
];
/// The number of steps in worlds with stores, and in those of bots, after which a fault counts as
/// undetected.
const STORE_STEPS: u64 = 200_000;

/// Returns the first rule that a run with `fault` breaks, and the number of steps until then.
fn detect(fault: FaultInjection) -> Option<(String, u64)> {
    FaultInjection::set(Some(fault));
    let detected = if OF_BOTS.contains(&fault) {
        first_failure(WorldKind::Bots, 0.., STORE_STEPS)
    } else if OF_STORES.contains(&fault) {
        first_failure(WorldKind::Sessions, (0..).map(store_seed), STORE_STEPS)
    } else {
        let paged = (0..PAGED_LIVES).map(|n| LIVES + 8 * n + 5);
        first_failure(WorldKind::Sessions, (0..LIVES).chain(paged), u64::MAX)
    };
    FaultInjection::set(None);
    detected
}

/// Returns the first rule that a run breaks, and the number of steps until then.
fn first_failure(
    world: WorldKind,
    seeds: impl Iterator<Item = u64>,
    limit: u64,
) -> Option<(String, u64)> {
    let mut steps = 0;
    for seed in seeds {
        let outcome = world.live(seed, STEPS);
        steps += outcome.steps;
        if steps > limit {
            return None;
        }
        if let Some(failure) = outcome.failure {
            return Some((failure.rule, steps));
        }
    }
    None
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
fn ignored_leases_are_detected() {
    ignore_leases(true);
    let detected = first_failure(WorldKind::Bots, 0.., STORE_STEPS);
    ignore_leases(false);
    println!("ignored leases: {detected:?}");
    assert!(detected.is_some());
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
