//! Delays before a retry.

use std::time::Duration;

use fastrand::Rng;

/// The delays before retries of a request that the server failed to process (429, 5xx). The first
/// delay is 200 ms, and each further one is 1.2 times as long, up to 30 s, ± 5 %. The figures were
/// measured on the published client.
#[derive(Clone, Debug)]
pub(super) struct RetryDelay {
    delay_millis: f64,
}

impl Default for RetryDelay {
    fn default() -> Self {
        Self {
            delay_millis: 200.0,
        }
    }
}

impl RetryDelay {
    /// Returns the delay before the next attempt.
    pub(super) fn next(&mut self, rng: &mut Rng) -> Duration {
        let jitter = 0.95 + 0.1 * rng.f64();
        let delay = Duration::from_secs_f64(self.delay_millis * jitter / 1000.0);
        self.delay_millis = (self.delay_millis * 1.2).min(30_000.0);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_delays_grow_from_200_ms_to_30_s() {
        let mut rng = Rng::with_seed(1);
        let mut retry = RetryDelay::default();
        let delays: Vec<_> = (0..60).map(|_| retry.next(&mut rng)).collect();
        assert!((190..=210).contains(&delays[0].as_millis()));
        assert!((228..=252).contains(&delays[1].as_millis()));
        assert!(delays.iter().all(|delay| delay.as_millis() <= 31_500));
        assert!(delays[59].as_millis() >= 28_500);
    }
}
