//! The operations that follow from a seed.

use fastrand::Rng;

use super::fault_kind::FaultKind;
use super::op::{COMMANDS, Command, OUTBOX_COMMANDS, Op, OpKind};
use super::phase::Phase;

/// The number of operations between two quiescent points.
const OPS_UNTIL_QUIESCENCE: u32 = 90;
/// An operation is a fault with a probability of one in this number.
const FAULTS: u32 = 7;
/// A quiescent point ends with a session that leaves with a probability of one in this number.
const LEAVES: u32 = 4;

/// In worlds with stores, a command or a fault concerns an outbox with a probability of one in this
/// number.
const OUTBOX: u32 = 3;

/// The faults that are frequent in worlds with stores.
const OUTBOX_FAULTS: [FaultKind; 5] = [
    FaultKind::Crash,
    FaultKind::LostAnswer,
    FaultKind::Status403,
    FaultKind::Status429,
    FaultKind::StoreFull,
];

/// The number of faults for a session that has left. Sessions are seldom idle otherwise.
const FAULTS_WHILE_IDLE: u32 = 2;

/// An endless iterator of operations.
pub(super) struct Plan {
    rng: Rng,
    sessions: usize,
    /// Set if the sessions have stores.
    has_stores: bool,
    ops: u32,
    last: usize,
    /// The number of faults that are still to be injected into the last session, which is idle.
    while_idle: u32,
}

impl Plan {
    pub(super) fn new(seed: u64, sessions: usize) -> Self {
        Self {
            rng: Rng::with_seed(seed ^ 0xac7),
            sessions,
            has_stores: has_stores(seed),
            ops: 0,
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
        let without = FaultKind::ALL.len() - FaultKind::OF_STORES;
        let kinds = if self.has_stores {
            FaultKind::ALL.len()
        } else {
            without
        };
        if self.has_stores && self.rng.u32(..OUTBOX) == 0 {
            return OUTBOX_FAULTS[self.rng.usize(..OUTBOX_FAULTS.len())];
        }
        FaultKind::ALL[self.rng.usize(..kinds)]
    }

    fn op_kind(&mut self) -> OpKind {
        if self.ops.is_multiple_of(OPS_UNTIL_QUIESCENCE) {
            return match self.rng.u32(..LEAVES) {
                0 => OpKind::Leave,
                _ => OpKind::Quiesce,
            };
        }
        if self.rng.u32(..FAULTS) == 0 {
            return OpKind::Fault(self.kind(), Phase::ALL[self.rng.usize(..Phase::ALL.len())]);
        }
        if self.has_stores && self.rng.u32(..OUTBOX) == 0 {
            return self.command(&OUTBOX_COMMANDS);
        }
        self.command(&COMMANDS)
    }

    fn command(&mut self, commands: &[(u32, Command)]) -> OpKind {
        let sum: u32 = commands.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.u32(..sum);
        for (weight, command) in commands {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return OpKind::Command(*command),
            }
        }
        OpKind::Quiesce
    }
}

/// Returns `true` if the sessions in the world of a seed have stores.
fn has_stores(seed: u64) -> bool {
    seed / 8 % 2 == 1
}

/// Returns the seed with this number among those of worlds in which the sessions have stores.
pub fn store_seed(number: u64) -> u64 {
    number / 8 * 16 + 8 + number % 8
}

impl Iterator for Plan {
    type Item = Op;

    fn next(&mut self) -> Option<Op> {
        let kind = if self.ops == 0 && self.has_stores {
            self.ops = 1;
            OpKind::AddStores
        } else if self.while_idle > 0 {
            self.while_idle -= 1;
            OpKind::Fault(self.kind(), Phase::Idle)
        } else {
            self.ops += 1;
            let kind = self.op_kind();
            // Users do several things in a row.
            if self.rng.u32(..3) > 0 {
                self.last = self.rng.usize(..self.sessions);
            }
            kind
        };
        if kind == OpKind::Leave {
            self.while_idle = FAULTS_WHILE_IDLE;
        }
        Some(Op {
            after_ms: self.pause(),
            session: self.last,
            kind,
            details: self.rng.u32(..),
        })
    }
}
