//! Which life follows from a seed.

use fastrand::Rng;

use super::act::{Act, COMMANDS, What};
use super::fault::FaultKind;
use super::phase::Phase;

/// So many acts lie between two quiet points.
const ACTS_UNTIL_QUIET: u32 = 90;
/// One act in so many is something going wrong.
const FAULTS: u32 = 7;
/// One quiet point in so many ends with a session that leaves.
const LEAVES: u32 = 4;

/// So many things go wrong for a session that has left: it is hardly ever idle otherwise.
const FAULTS_WHILE_IDLE: u32 = 2;

/// An endless life.
pub(super) struct Plan {
    rng: Rng,
    sessions: usize,
    acts: u32,
    last: usize,
    /// How many faults are still to strike the last session, which is idle.
    while_idle: u32,
}

impl Plan {
    pub(super) fn new(seed: u64, sessions: usize) -> Self {
        Self {
            rng: Rng::with_seed(seed ^ 0xac7),
            sessions,
            acts: 0,
            last: 0,
            while_idle: 0,
        }
    }

    fn pause(&mut self) -> u32 {
        match self.rng.u32(0..100) {
            0..25 => 0,
            25..60 => self.rng.u32(0..80),
            60..90 => self.rng.u32(0..600),
            90..99 => self.rng.u32(0..6_000),
            _ => self.rng.u32(0..60_000),
        }
    }

    fn kind(&mut self) -> FaultKind {
        FaultKind::ALL[self.rng.usize(..FaultKind::ALL.len())]
    }

    fn what(&mut self) -> What {
        if self.acts.is_multiple_of(ACTS_UNTIL_QUIET) {
            return match self.rng.u32(..LEAVES) {
                0 => What::Leave,
                _ => What::Quiet,
            };
        }
        if self.rng.u32(..FAULTS) == 0 {
            return What::Fault(self.kind(), Phase::ALL[self.rng.usize(..Phase::ALL.len())]);
        }
        let sum: u32 = COMMANDS.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.u32(..sum);
        for (weight, command) in COMMANDS {
            match at.checked_sub(weight) {
                Some(rest) => at = rest,
                None => return What::Command(command),
            }
        }
        What::Quiet
    }
}

impl Iterator for Plan {
    type Item = Act;

    fn next(&mut self) -> Option<Act> {
        let what = if self.while_idle > 0 {
            self.while_idle -= 1;
            What::Fault(self.kind(), Phase::Idle)
        } else {
            self.acts += 1;
            let what = self.what();
            // People do several things in a row.
            if self.rng.u32(..3) > 0 {
                self.last = self.rng.usize(..self.sessions);
            }
            what
        };
        if what == What::Leave {
            self.while_idle = FAULTS_WHILE_IDLE;
        }
        Some(Act {
            after_ms: self.pause(),
            who: self.last,
            what,
            details: self.rng.u32(..),
        })
    }
}
