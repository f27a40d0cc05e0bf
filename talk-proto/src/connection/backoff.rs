//! Delays before the next connection attempt or token.

use std::time::Duration;

use fastrand::Rng;

/// The longest delay between two attempts to connect.
const RECONNECT_CAP: Duration = Duration::from_secs(30);
/// The longest delay before the first reconnect.
const RECONNECT_BASE: Duration = Duration::from_secs(1);
/// The time over which clients reconnect after a planned restart.
const RESTART_SPREAD: Duration = Duration::from_secs(10);
/// The time after which an authenticated connection counts as healthy.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

/// The delays between connection attempts. They have full jitter, so that the clients of a failed
/// server do not reconnect at the same time.
#[derive(Debug, Default)]
pub(crate) struct Reconnect {
    failures: u32,
    /// The number of delays since the last connection.
    attempts: u32,
    restart_announced: bool,
}

impl Reconnect {
    /// Handles the announcement of a restart.
    pub(crate) fn announce_restart(&mut self) {
        self.restart_announced = true;
    }

    /// Handles an authenticated connection.
    pub(crate) fn note_connected(&mut self) {
        self.attempts = 0;
    }

    /// Returns the number of the attempt after the last delay, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempts
    }

    /// Resets the delays if the connection was healthy.
    pub(crate) fn note_ready(&mut self, ready_for: Duration) {
        if ready_for >= HEALTHY_AFTER {
            self.failures = 0;
        }
    }

    /// Returns the delay after a loss or a failed attempt.
    pub(crate) fn next_delay(&mut self, rng: &mut Rng) -> Duration {
        self.attempts = self.attempts.saturating_add(1);
        if std::mem::take(&mut self.restart_announced) {
            return random_below(RESTART_SPREAD, rng);
        }
        let ceiling = RECONNECT_BASE.saturating_mul(2u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        random_below(ceiling.min(RECONNECT_CAP), rng)
    }
}

/// Returns a random duration in whole milliseconds from zero to `ceiling`.
fn random_below(ceiling: Duration, rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(0..=millis(ceiling)))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The maximum number of consecutive tokens that are rejected or expire at once.
const MAX_REJECTED: u32 = 5;

/// The delays between rejected tokens: 1 s, doubling to 60 s. After the last one the session ends.
#[derive(Debug, Default)]
pub(crate) struct TokenRetry {
    rejected: u32,
    /// The number of consecutive tokens that were accepted only for a short time.
    short_lived: u32,
}

impl TokenRetry {
    /// Handles a token that the server accepted for a request.
    pub(crate) fn reset(&mut self) {
        self.rejected = 0;
    }

    /// Returns the delay before the next token, or the number of rejected tokens after the last
    /// attempt.
    pub(crate) fn next_delay(&mut self) -> Result<Duration, u32> {
        self.rejected += 1;
        if self.rejected >= MAX_REJECTED {
            return Err(self.rejected);
        }
        Ok(doubling(self.rejected))
    }

    /// Returns the delay before the successor of an accepted token. It is zero, unless this token
    /// and the one before were accepted only for a short time.
    pub(crate) fn delay_after(&mut self, was_short_lived: bool) -> Duration {
        if !was_short_lived {
            self.short_lived = 0;
            return Duration::ZERO;
        }
        self.short_lived = self.short_lived.saturating_add(1);
        match self.short_lived {
            1 => Duration::ZERO,
            again => doubling(again - 1),
        }
    }
}

/// Returns the n-th delay, from 1: 1 s, doubling to 60 s.
fn doubling(n: u32) -> Duration {
    Duration::from_secs(1 << (n - 1).min(6)).min(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_delay_is_below_1_s_and_later_ones_30_s() {
        for seed in 0..200 {
            let mut rng = Rng::with_seed(seed);
            let mut reconnect = Reconnect::default();
            for n in 0..12 {
                let delay = reconnect.next_delay(&mut rng);
                assert!(delay <= Duration::from_secs((1 << n).min(30)));
            }
        }
    }

    #[test]
    fn delays_cover_the_whole_range() {
        let mut rng = Rng::with_seed(1);
        let delays: Vec<_> = (0..1000)
            .map(|_| Reconnect::default().next_delay(&mut rng).as_millis())
            .collect();
        for tenth in 0..10 {
            let range = tenth * 100..(tenth + 1) * 100;
            let share = delays.iter().filter(|delay| range.contains(*delay)).count();
            assert!((60..140).contains(&share), "{share} of 1000 in {range:?}");
        }
    }

    #[test]
    fn delay_resets_only_after_a_healthy_period() {
        let mut rng = Rng::with_seed(1);
        let mut reconnect = Reconnect {
            failures: 10,
            ..Reconnect::default()
        };
        reconnect.note_ready(Duration::from_millis(9_999));
        reconnect.next_delay(&mut rng);
        assert_eq!(reconnect.failures, 11);
        reconnect.note_ready(Duration::from_secs(10));
        reconnect.next_delay(&mut rng);
        assert_eq!(reconnect.failures, 1);
    }

    #[test]
    fn token_attempts_end_after_five() {
        let mut retry = TokenRetry::default();
        let delays: Vec<_> = (0..4)
            .map(|_| retry.next_delay().map(|d| d.as_secs()))
            .collect();
        assert_eq!(delays, [Ok(1), Ok(2), Ok(4), Ok(8)]);
        assert_eq!(retry.next_delay(), Err(5));
    }

    #[test]
    fn token_delay_grows_unless_tokens_last() {
        let mut retry = TokenRetry::default();
        let mut after = |short| retry.delay_after(short).as_secs();
        assert_eq!(
            [(); 9].map(|()| after(true)),
            [0, 1, 2, 4, 8, 16, 32, 60, 60]
        );
        assert_eq!([after(false), after(true), after(true)], [0, 0, 1]);
    }
}
