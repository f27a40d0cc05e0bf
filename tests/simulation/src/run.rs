//! A run: operations in a world, until an invariant breaks or enough steps are done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bots::plan::BotPlan;
use super::broken::Broken;
use super::caught_panics::CaughtPanics;
use super::matrix::Matrix;
use super::op::{Op, OpKind};
use super::plan::Plan;
use super::world::World;

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step of the failure.
    pub step: u64,
    /// The broken invariant.
    pub rule: String,
    /// The observed behaviour.
    pub detail: String,
}

/// The kind of a world. A seed determines a run only together with the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorldKind {
    /// Users with sessions.
    #[default]
    Sessions,
    /// The processes of a bot with a common store, and people that ask questions.
    Bots,
}

impl WorldKind {
    /// Runs the plan of a seed for about this many steps, and ends with a quiescent point.
    pub fn live(self, seed: u64, steps: u64) -> Outcome {
        let mut plan: Box<dyn Iterator<Item = Op>> = match self {
            Self::Sessions => Box::new(Plan::new(seed, World::sessions(seed))),
            Self::Bots => Box::new(BotPlan::new(seed)),
        };
        let next = &mut |done| if done < steps { plan.next() } else { None };
        run(self, seed, false, next)
    }

    /// Replays operations in the world of a seed, and ends with a quiescent point. Prints every
    /// event if `is_traced`.
    pub fn replay(self, seed: u64, ops: &[Op], is_traced: bool) -> Outcome {
        let mut ops = ops.iter().cloned();
        run(self, seed, is_traced, &mut |_| ops.next())
    }

    fn world(self, seed: u64) -> World {
        match self {
            Self::Sessions => World::new(seed),
            Self::Bots => World::of_bots(seed),
        }
    }
}

/// The outcome of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The kind of the world.
    pub world: WorldKind,
    /// The number of steps.
    pub steps: u64,
    /// The injected faults.
    pub matrix: Matrix,
    /// The broken invariant, if there is one.
    pub failure: Option<Failure>,
    /// All operations.
    pub ops: Vec<Op>,
}

/// Runs the plan of a seed in a world of sessions, for about this many steps.
pub fn live(seed: u64, steps: u64) -> Outcome {
    WorldKind::Sessions.live(seed, steps)
}

/// Replays operations in the world of sessions of a seed. Prints every event if `is_traced`.
pub fn replay(seed: u64, ops: &[Op], is_traced: bool) -> Outcome {
    WorldKind::Sessions.replay(seed, ops, is_traced)
}

fn run(
    kind: WorldKind,
    seed: u64,
    is_traced: bool,
    next: &mut dyn FnMut(u64) -> Option<Op>,
) -> Outcome {
    let mut ops = Vec::new();
    let mut world = None;
    let lived = CaughtPanics::during(|| {
        catch_unwind(AssertUnwindSafe(|| {
            let world = world.insert(kind.world(seed));
            world.is_traced = is_traced;
            while let Some(op) = next(world.steps) {
                ops.push(op.clone());
                world.take(&op);
            }
            world.quiesce();
        }))
    });
    let (steps, matrix) = world.map_or_else(Default::default, |world| (world.steps, world.matrix));
    let failure = lived.err().map(|panic| {
        let Broken { rule, detail } = match panic.downcast::<Broken>() {
            Ok(broken) => *broken,
            Err(_) => CaughtPanics::last(),
        };
        Failure {
            step: steps,
            rule,
            detail,
        }
    });
    Outcome {
        world: kind,
        steps,
        matrix,
        failure,
        ops,
    }
}

impl World {
    fn take(&mut self, op: &Op) {
        if op.after_ms > 0 {
            self.run_for(Duration::from_millis(op.after_ms.into()));
        }
        let who = op.session % self.clients.len();
        match op.kind {
            OpKind::Command(command) => self.command(who, command, op.details),
            OpKind::Fault(kind, phase) => {
                self.finish_tick();
                self.arm(kind, who, phase, op.details);
            }
            OpKind::People(command) => {
                self.finish_tick();
                self.command_people(command, op.details);
            }
            OpKind::AddStores => self.add_stores(op.details),
            OpKind::Quiesce => self.quiesce(),
            OpKind::Leave => {
                self.quiesce();
                self.leave(who);
            }
        }
    }
}
