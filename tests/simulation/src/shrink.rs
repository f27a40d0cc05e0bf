//! Shortens a failing run.

use super::op::Op;
use super::run::{Failure, Outcome};

/// The maximum number of replays.
const TRIES: usize = 400;

/// Returns a short list of operations that breaks the same rule, and the failure.
pub fn shrink(seed: u64, failed: &Outcome) -> (Vec<Op>, Option<Failure>) {
    let mut ops = failed.ops.clone();
    let mut failure = failed.failure.clone();
    let fails = |ops: &[Op]| {
        let found = failed.world.replay(seed, ops, false).failure;
        found.filter(|found| {
            failed
                .failure
                .as_ref()
                .is_some_and(|f| f.rule == found.rule)
        })
    };
    let mut size = ops.len().div_ceil(2);
    let mut left = TRIES;
    while size > 0 && left > 0 {
        let (mut start, mut dropped) = (0, false);
        while start < ops.len() && left > 0 {
            left -= 1;
            let end = (start + size).min(ops.len());
            let mut fewer = ops.clone();
            fewer.drain(start..end);
            match fails(&fewer) {
                Some(found) => {
                    (ops, failure, dropped) = (fewer, Some(found), true);
                }
                None => start = end,
            }
        }
        if size == 1 && !dropped {
            break;
        }
        size = if size > 1 { size / 2 } else { 1 };
    }
    (ops, failure)
}
