//! The operations that follow from a seed.

use fastrand::Rng;

use super::people::PeopleCommand;
use super::state::Bots;
use crate::fault_kind::FaultKind;
use crate::op::{Op, OpKind};
use crate::phase::Phase;

/// The number of operations between two quiescent points.
const OPS_UNTIL_QUIESCENCE: u32 = 80;
/// An operation is a fault with a probability of one in this number.
const FAULTS: u32 = 4;

/// The faults with their weights.
const KINDS: [(u32, FaultKind); 38] = [
    (24, FaultKind::Crash),
    (4, FaultKind::Exit),
    (3, FaultKind::Reopen),
    (12, FaultKind::Suspend),
    (6, FaultKind::DatabaseDown),
    (12, FaultKind::DatabaseSlow),
    (6, FaultKind::DatabaseSilent),
    (2, FaultKind::Latency),
    (2, FaultKind::Refuse),
    (2, FaultKind::Hang),
    (4, FaultKind::Cut),
    (2, FaultKind::HalfOpenClient),
    (2, FaultKind::HalfOpenServer),
    (2, FaultKind::Stall),
    (4, FaultKind::Restart),
    (2, FaultKind::PlannedRestart),
    (2, FaultKind::TokenExpired),
    (3, FaultKind::Status429),
    (3, FaultKind::Status500),
    (3, FaultKind::Done500),
    (6, FaultKind::LostAnswer),
    (2, FaultKind::Unanswered),
    (1, FaultKind::ClockForward),
    (1, FaultKind::ClockBack),
    (1, FaultKind::UnreadableEvent),
    (1, FaultKind::RepeatedPublish),
    (1, FaultKind::Stale),
    (1, FaultKind::TokenRejected),
    (1, FaultKind::TokenShortLived),
    (1, FaultKind::TokenSilence),
    (1, FaultKind::TokenLate),
    (1, FaultKind::Status401),
    (1, FaultKind::Status402),
    (1, FaultKind::Status403),
    (1, FaultKind::LargeFrame),
    (1, FaultKind::FrameTooLarge),
    (1, FaultKind::Garbage),
    (1, FaultKind::UnreadableItem),
];

/// An endless iterator of operations.
pub(crate) struct BotPlan {
    rng: Rng,
    processes: usize,
    ops: u32,
}

impl BotPlan {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed ^ 0xac7_b07),
            processes: Bots::processes(seed),
            ops: 0,
        }
    }

    fn pause(&mut self) -> u32 {
        match self.rng.u32(0..100) {
            0..30 => self.rng.u32(0..20),
            30..60 => self.rng.u32(0..300),
            60..90 => self.rng.u32(0..2_000),
            90..97 => self.rng.u32(0..10_000),
            _ => self.rng.u32(0..120_000),
        }
    }

    fn op_kind(&mut self) -> OpKind {
        self.ops += 1;
        if self.ops.is_multiple_of(OPS_UNTIL_QUIESCENCE) {
            return OpKind::Quiesce;
        }
        if self.rng.u32(..FAULTS) == 0 {
            let phase = Phase::ALL[self.rng.usize(..Phase::ALL.len())];
            return OpKind::Fault(self.draw(&KINDS), phase);
        }
        OpKind::People(self.draw(&PeopleCommand::WEIGHTS))
    }

    /// Draws one of several values with weights.
    fn draw<T: Copy>(&mut self, values: &[(u32, T)]) -> T {
        let sum: u32 = values.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.u32(..sum);
        let chosen = values
            .iter()
            .find(|(weight, _)| match at.checked_sub(*weight) {
                Some(rest) => {
                    at = rest;
                    false
                }
                None => true,
            });
        chosen.unwrap_or(&values[0]).1
    }
}

impl Iterator for BotPlan {
    type Item = Op;

    fn next(&mut self) -> Option<Op> {
        let kind = self.op_kind();
        Some(Op {
            after_ms: self.pause(),
            session: self.rng.usize(..self.processes),
            kind,
            details: self.rng.u32(..),
        })
    }
}
