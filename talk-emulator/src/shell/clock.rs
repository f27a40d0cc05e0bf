use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::server::Timestamp;

/// Unix time that never goes back: the wall clock at the start plus the elapsed monotonic time, and
/// the time by which tests have advanced it. It follows tokio's clock, so a test that pauses that
/// clock pauses the emulator.
///
/// The monotonic clock stands still while the machine is suspended. That time is added when the
/// wall clock is found ahead.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Timestamp,
    suspended: Suspended,
    advanced: Duration,
}

/// Measures the time for which the machine was suspended.
#[derive(Debug, Clone)]
struct Suspended {
    /// The start by the real clock, which runs even if tokio's clock is paused.
    started: std::time::Instant,
    started_at: SystemTime,
    total: Duration,
}

/// The minimum difference between the clocks that counts as a suspension. Smaller differences are
/// adjustments of the wall clock.
const MIN_SUSPENDED: Duration = Duration::from_secs(1);

/// The maximum duration that is added to an [`Instant`], which a larger one might overflow.
const A_CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Clock {
    pub(crate) fn new() -> Self {
        let started_at = SystemTime::now();
        Self {
            started: Instant::now(),
            started_at: started_at.into(),
            suspended: Suspended {
                started: std::time::Instant::now(),
                started_at,
                total: Duration::ZERO,
            },
            advanced: Duration::ZERO,
        }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        self.suspended.update(SystemTime::now());
        self.start() + self.started.elapsed()
    }

    /// Advances the time. Returns `false` if the sum is more than a century.
    pub(crate) fn advance(&mut self, by: Duration) -> bool {
        let advanced = self.advanced.saturating_add(by);
        if advanced > A_CENTURY {
            return false;
        }
        self.advanced = advanced;
        true
    }

    /// Returns the time by which tests have advanced the clock.
    pub(crate) fn advanced(&self) -> Duration {
        self.advanced
    }

    /// Returns the time at the start, plus the suspended and the advanced time.
    fn start(&self) -> Timestamp {
        self.started_at + self.suspended.total + self.advanced
    }

    /// Returns the instant of a time, assuming that the machine is not suspended before it.
    pub(crate) fn instant(&self, time: Timestamp) -> Instant {
        let since = time.saturating_since(self.start());
        self.started + since.min(A_CENTURY)
    }
}

impl Suspended {
    fn update(&mut self, now: SystemTime) {
        let by_wall = now.duration_since(self.started_at).unwrap_or_default();
        let ahead = by_wall.saturating_sub(self.started.elapsed());
        if ahead >= self.total + MIN_SUSPENDED {
            self.total = ahead;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Clock;

    #[test]
    fn clock_adds_suspended_time() {
        let mut clock = Clock::new();
        let before = clock.now();
        let hour = Duration::from_secs(3600);
        clock.suspended.update(SystemTime::now() + hour);
        let after = clock.now();
        assert!(after.saturating_since(before) >= hour);
        // A wall clock that is set back changes nothing.
        clock.suspended.update(SystemTime::now() - hour);
        assert!(clock.now() >= after);
        assert!(clock.instant(after) <= tokio::time::Instant::now());
    }

    #[test]
    fn clock_advance_moves_time_and_timers() {
        let mut clock = Clock::new();
        let day = Duration::from_secs(24 * 3600);
        let due = clock.now() + day;
        assert!(clock.advance(day));
        assert!(clock.now() >= due);
        assert!(clock.instant(due) <= tokio::time::Instant::now());
        assert!(!clock.advance(Duration::MAX));
        assert!(clock.now() < due + day);
    }

    #[test]
    fn clock_ignores_small_adjustments() {
        let mut clock = Clock::new();
        let adjusted = SystemTime::now() + Duration::from_millis(900);
        clock.suspended.update(adjusted);
        assert_eq!(clock.suspended.total, Duration::ZERO);
    }
}
