//! The core's time, made from the machine's two clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use talk_proto::Timestamp;

/// How far the wall clock must be ahead to be believed. A machine that was suspended may not have
/// counted the time in its monotonic clock.
const JUMP: Duration = Duration::from_secs(5);

/// Unix time that never goes back: the wall clock at the start plus the monotonic clock since then,
/// moved forward when the wall clock is far ahead.
pub(super) struct Clock {
    base: Duration,
    start: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            base: wall_clock(),
            start: Instant::now(),
        }
    }

    pub(super) fn now(&mut self) -> Timestamp {
        self.at(self.start.elapsed(), wall_clock())
    }

    fn at(&mut self, elapsed: Duration, wall: Duration) -> Timestamp {
        let mut now = self.base + elapsed;
        if wall > now + JUMP {
            self.base += wall - now;
            now = wall;
        }
        Timestamp::from_millis(0) + now
    }
}

/// Since the unix epoch; zero before it.
fn wall_clock() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn clock() -> Clock {
        Clock {
            base: secs(1_000),
            start: Instant::now(),
        }
    }

    #[test]
    fn clock_small_wall_steps_are_ignored() {
        let mut clock = clock();
        assert_eq!(
            clock.at(secs(1), secs(1_006)),
            Timestamp::from_millis(1_001_000)
        );
        assert_eq!(
            clock.at(secs(2), secs(10)),
            Timestamp::from_millis(1_002_000)
        );
    }

    #[test]
    fn clock_suspend_advances_permanently() {
        let mut clock = clock();
        assert_eq!(
            clock.at(secs(1), secs(5_000)),
            Timestamp::from_millis(5_000_000)
        );
        assert_eq!(
            clock.at(secs(2), secs(1)),
            Timestamp::from_millis(5_001_000)
        );
    }
}
