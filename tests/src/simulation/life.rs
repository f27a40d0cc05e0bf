//! A whole life: acts in a world, until a rule breaks or enough has happened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::act::{Act, What};
use super::broken::Broken;
use super::matrix::Matrix;
use super::plan::Plan;
use super::quiet_panics::QuietPanics;
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
    pub acts: Vec<Act>,
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
pub fn replay(seed: u64, acts: &[Act], is_traced: bool) -> Outcome {
    let mut acts = acts.iter().cloned();
    run(seed, is_traced, &mut |_| acts.next())
}

fn run(seed: u64, is_traced: bool, next: &mut dyn FnMut(u64) -> Option<Act>) -> Outcome {
    let mut acts = Vec::new();
    let mut world = None;
    let lived = QuietPanics::during(|| {
        catch_unwind(AssertUnwindSafe(|| {
            let world = world.insert(World::new(seed));
            world.is_traced = is_traced;
            while let Some(act) = next(world.steps) {
                acts.push(act.clone());
                world.take(&act);
            }
            world.quiet();
        }))
    });
    let (steps, matrix) = world.map_or_else(Default::default, |world| (world.steps, world.matrix));
    let failure = lived.err().map(|panic| {
        let Broken { rule, detail } = match panic.downcast::<Broken>() {
            Ok(broken) => *broken,
            Err(_) => QuietPanics::last(),
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
        acts,
    }
}

impl World {
    fn take(&mut self, act: &Act) {
        if act.after_ms > 0 {
            self.run_for(Duration::from_millis(act.after_ms.into()));
        }
        let who = act.who % self.clients.len();
        match act.what {
            What::Command(command) => self.command(who, command, act.details),
            What::Fault(kind, phase) => {
                self.finish_tick();
                self.arm(kind, who, phase, act.details);
            }
            What::Quiet => self.quiet(),
            What::Leave => {
                self.quiet();
                self.leave(who);
            }
        }
    }
}
