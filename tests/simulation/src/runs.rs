//! Many runs, several in parallel.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::matrix::Matrix;
use super::plan::store_seed;
use super::run::{Outcome, WorldKind};

/// The parameters of many runs.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// The seed of the first run. The other runs have the following seeds.
    pub seed: u64,
    /// The number of runs, or `None` if only the time limits them.
    pub count: Option<u64>,
    /// No run except the first begins after this time.
    pub within: Option<Duration>,
    /// The number of steps of each run.
    pub steps: u64,
    /// The number of runs in parallel.
    pub threads: usize,
    /// The worlds to run.
    pub selection: Selection,
}

/// A selection of worlds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// All worlds of sessions.
    #[default]
    Sessions,
    /// The worlds of sessions with stores. The seeds are their numbers.
    Stores,
    /// The worlds of bots.
    Bots,
}

/// The outcome of many runs.
#[derive(Clone, Debug, Default)]
pub struct RunsOutcome {
    /// The number of runs.
    pub lives: u64,
    /// The number of steps of all runs.
    pub steps: u64,
    /// The injected faults of all runs.
    pub matrix: Matrix,
    /// The seed and outcome of the failed run with the lowest seed.
    pub failed: Option<(u64, Outcome)>,
}

impl Runs {
    /// Executes the runs. After a failure, calls `note_failure` at once and begins no other run.
    pub fn live(&self, note_failure: impl FnMut(u64, &Outcome)) -> RunsOutcome {
        let kind = match self.selection {
            Selection::Sessions | Selection::Stores => WorldKind::Sessions,
            Selection::Bots => WorldKind::Bots,
        };
        self.live_as(&|seed, steps| kind.live(seed, steps), note_failure)
    }

    /// Returns the seed of a run.
    fn seed_at(&self, number: u64) -> u64 {
        let seed = self.seed.wrapping_add(number);
        match self.selection {
            Selection::Sessions | Selection::Bots => seed,
            Selection::Stores => store_seed(seed),
        }
    }

    fn live_as(
        &self,
        live: &(impl Fn(u64, u64) -> Outcome + Sync),
        mut note_failure: impl FnMut(u64, &Outcome),
    ) -> RunsOutcome {
        let (next, has_failed) = (AtomicU64::new(0), AtomicBool::new(false));
        let started = Instant::now();
        let next_seed = || {
            // The seed is only taken after this check, and a taken seed is always run. Otherwise, a
            // lower failing seed could be skipped.
            if has_failed.load(Ordering::Relaxed) {
                return None;
            }
            let number = next.fetch_add(1, Ordering::Relaxed);
            let is_late = number > 0 && self.within.is_some_and(|time| started.elapsed() >= time);
            let is_enough = self.count.is_some_and(|count| number >= count);
            (!is_late && !is_enough).then(|| self.seed_at(number))
        };
        let mut lived = RunsOutcome::default();
        thread::scope(|scope| {
            let (tell, hear) = mpsc::channel();
            for _ in 0..self.threads.max(1) {
                let (tell, next_seed, has_failed) = (tell.clone(), &next_seed, &has_failed);
                scope.spawn(move || {
                    while let Some(seed) = next_seed() {
                        let outcome = live(seed, self.steps);
                        has_failed.fetch_or(outcome.failure.is_some(), Ordering::Relaxed);
                        let _ = tell.send((seed, outcome));
                    }
                });
            }
            drop(tell);
            for (seed, outcome) in hear {
                if outcome.failure.is_some() {
                    note_failure(seed, &outcome);
                }
                lived.add(seed, outcome);
            }
        });
        lived
    }
}

impl RunsOutcome {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.lives += 1;
        self.steps += outcome.steps;
        self.matrix.add(&outcome.matrix);
        let is_first = self.failed.as_ref().is_none_or(|(first, _)| seed < *first);
        if outcome.failure.is_some() && is_first {
            self.failed = Some((seed, outcome));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::Failure;
    use super::*;

    /// Returns the outcome of a run of one step.
    fn short_life(breaks_a_rule: bool) -> Outcome {
        let failure = Failure {
            step: 1,
            rule: "a rule holds".to_owned(),
            detail: String::new(),
        };
        Outcome {
            world: WorldKind::Sessions,
            steps: 1,
            matrix: Matrix::default(),
            failure: breaks_a_rule.then_some(failure),
            ops: Vec::new(),
        }
    }

    #[test]
    fn runs_stop_after_the_first_failure() {
        let lives = Runs {
            seed: 5,
            count: Some(1_000_000),
            within: None,
            steps: 1,
            threads: 3,
            selection: Selection::Sessions,
        };
        let mut noted = Vec::new();
        let lived = lives.live_as(&|seed, _| short_life(seed >= 12), |seed, outcome| {
            assert!(outcome.failure.is_some());
            noted.push(seed);
        });
        assert!(lived.lives < 1_000_000);
        assert_eq!(lived.failed.map(|(seed, _)| seed), Some(12));
        assert!(noted.contains(&12));
    }
}
