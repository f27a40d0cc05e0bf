//! Many lives, several at a time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::matrix::Matrix;
use super::run::{Outcome, live};

/// Which lives are lived.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// The seed of the first; the others have those that follow.
    pub seed: u64,
    /// How many there are, unless only the time counts.
    pub count: Option<u64>,
    /// None but the first begins when this time is over.
    pub within: Option<Duration>,
    /// How many steps each has.
    pub steps: u64,
    /// How many are lived at a time.
    pub threads: usize,
}

/// What became of many lives.
#[derive(Clone, Debug, Default)]
pub struct RunsOutcome {
    /// How many there were.
    pub lives: u64,
    /// How much happened in all of them.
    pub steps: u64,
    /// What went wrong in them on purpose.
    pub matrix: Matrix,
    /// The one with the lowest seed that broke a rule: its seed, and what became of it.
    pub failed: Option<(u64, Outcome)>,
}

impl Runs {
    /// Lives them. None begins after one that broke a rule, which `note_failure` is told at once.
    pub fn live(&self, note_failure: impl FnMut(u64, &Outcome)) -> RunsOutcome {
        self.live_as(&live, note_failure)
    }

    fn live_as(
        &self,
        live: &(impl Fn(u64, u64) -> Outcome + Sync),
        mut note_failure: impl FnMut(u64, &Outcome),
    ) -> RunsOutcome {
        let (next, has_failed) = (AtomicU64::new(0), AtomicBool::new(false));
        let started = Instant::now();
        let next_seed = || {
            // What is taken is lived, so that nothing before a failure is left out.
            if has_failed.load(Ordering::Relaxed) {
                return None;
            }
            let number = next.fetch_add(1, Ordering::Relaxed);
            let is_late = number > 0 && self.within.is_some_and(|time| started.elapsed() >= time);
            let is_enough = self.count.is_some_and(|count| number >= count);
            (!is_late && !is_enough).then(|| self.seed.wrapping_add(number))
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

    /// A life of which nothing is known but whether it breaks a rule.
    fn short_life(breaks_a_rule: bool) -> Outcome {
        let failure = Failure {
            step: 1,
            rule: "a rule holds".to_owned(),
            detail: String::new(),
        };
        Outcome {
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
