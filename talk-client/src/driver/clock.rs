//! The core's time, derived from the clocks of the transport.

use std::time::Duration;

use talk_proto::Timestamp;

use crate::transport::ClockReading;

/// The lead of the wall clock from which on the time jumps forward to it. The monotonic clock may
/// stand still while the machine is suspended.
const JUMP: Duration = Duration::from_secs(5);

/// Unix time that never goes back: the wall clock at the start plus the monotonic clock since then,
/// moved forward if the wall clock is far ahead.
pub(super) struct Clock {
    /// The difference between Unix time and the monotonic clock.
    offset: Duration,
}

impl Clock {
    pub(super) fn new(reading: ClockReading) -> Self {
        Self {
            offset: reading.wall.saturating_sub(reading.monotonic),
        }
    }

    pub(super) fn now(&mut self, reading: ClockReading) -> Timestamp {
        let mut now = self.offset + reading.monotonic;
        if reading.wall > now + JUMP {
            self.offset += reading.wall - now;
            now = reading.wall;
        }
        Timestamp::from_millis(0) + now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn reading(monotonic: u64, wall: u64) -> ClockReading {
        ClockReading {
            monotonic: Duration::from_secs(monotonic),
            wall: Duration::from_secs(wall),
        }
    }

    fn clock() -> Clock {
        Clock::new(reading(7, 1_000))
    }

    #[test]
    fn clock_small_wall_steps_are_ignored() {
        let mut clock = clock();
        assert_eq!(
            clock.now(reading(8, 1_006)),
            Timestamp::from_millis(1_001_000)
        );
        assert_eq!(clock.now(reading(9, 10)), Timestamp::from_millis(1_002_000));
    }

    #[test]
    fn clock_suspend_advances_permanently() {
        let mut clock = clock();
        assert_eq!(
            clock.now(reading(8, 5_000)),
            Timestamp::from_millis(5_000_000)
        );
        assert_eq!(clock.now(reading(9, 1)), Timestamp::from_millis(5_001_000));
    }
}
