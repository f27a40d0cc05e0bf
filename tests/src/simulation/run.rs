//! A whole life: acts in a world, until a rule breaks or enough has happened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::broken::Broken;
use super::caught_panics::CaughtPanics;
use super::matrix::Matrix;
use super::op::{Op, OpKind};
use super::plan::Plan;
use super::world::World;

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step at which that was seen.
    pub step: u64,
    /// The rule.
    pub rule: String,
    /// What was seen instead.
    pub detail: String,
}

/// What became of a life.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How much happened.
    pub steps: u64,
    /// What went wrong on purpose.
    pub matrix: Matrix,
    /// What went wrong in earnest.
    pub failure: Option<Failure>,
    /// Everything that was done.
    pub ops: Vec<Op>,
}

/// Lives the life of a seed for about so many steps; it ends with a quiet point.
pub fn live(seed: u64, steps: u64) -> Outcome {
    let mut plan = Plan::new(seed, World::sessions(seed));
    run(seed, false, &mut |done| {
        if done < steps { plan.next() } else { None }
    })
}

/// Does the given acts in the world of a seed, and ends with a quiet point. Prints everything that
/// happens if `is_traced`.
pub fn replay(seed: u64, ops: &[Op], is_traced: bool) -> Outcome {
    let mut ops = ops.iter().cloned();
    run(seed, is_traced, &mut |_| ops.next())
}

fn run(seed: u64, is_traced: bool, next: &mut dyn FnMut(u64) -> Option<Op>) -> Outcome {
    let mut ops = Vec::new();
    let mut world = None;
    let lived = CaughtPanics::during(|| {
        catch_unwind(AssertUnwindSafe(|| {
            let world = world.insert(World::new(seed));
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
            OpKind::Quiesce => self.quiesce(),
            OpKind::Leave => {
                self.quiesce();
                self.leave(who);
            }
        }
    }
}
