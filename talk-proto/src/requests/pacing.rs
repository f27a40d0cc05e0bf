//! Congestion control: the pace of waiting calls.

use std::time::Duration;

use crate::options::Pacing;
use crate::timestamp::Timestamp;

/// The number of waiting calls that are sent at once on a new connection.
const BURST: usize = 50;
/// The number of calls in the first second after the burst. It doubles every second.
const FIRST_RATE: u32 = 10;
/// The rate above which calls are not paced any more, because the interval would be below a
/// millisecond.
const MAX_RATE: u32 = 1_000;
const SECOND: Duration = Duration::from_secs(1);

/// The schedule of waiting calls.
pub(super) struct Pacer {
    pacing: Pacing,
    /// The schedule while calls wait; `None` if calls are not paced.
    schedule: Option<Schedule>,
    successes: Successes,
}

/// The times of calls since `start`.
struct Schedule {
    burst_left: usize,
    start: Timestamp,
    sent: u32,
    pace: Pace,
}

#[derive(Clone, Copy)]
enum Pace {
    /// A call per interval.
    Interval(Duration),
    /// This number of calls in the second after `start`, and twice as many in the next one.
    Rate(u32),
}

impl Pacer {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            schedule: None,
            successes: Successes::default(),
        }
    }

    /// Starts a new connection: the first waiting calls are sent at once.
    pub(super) fn start(&mut self, now: Timestamp) {
        let (burst, pace) = match self.pacing {
            Pacing::Adaptive => (BURST, Pace::Rate(FIRST_RATE)),
            Pacing::Fixed { burst, interval } => (burst, Pace::Interval(interval)),
            Pacing::Off => return,
        };
        self.schedule = Some(Schedule::new(now, burst, pace));
    }

    /// Ends the pacing, because no call waits or the connection is lost.
    pub(super) fn stop(&mut self) {
        self.schedule = None;
    }

    /// Counts a successful request.
    pub(super) fn handle_success(&mut self, now: Timestamp) {
        self.successes.count(now);
    }

    /// Handles status 429: calls are sent at half the rate of the last second.
    pub(super) fn handle_busy(&mut self, now: Timestamp) {
        if self.pacing == Pacing::Adaptive {
            let rate = (self.successes.last_second(now) / 2).max(1);
            self.schedule = Some(Schedule::new(now, 0, Pace::Rate(rate)));
        }
    }

    /// Returns `true` if a call may be sent now, and counts it.
    pub(super) fn admit(&mut self, now: Timestamp) -> bool {
        let Some(schedule) = &mut self.schedule else {
            return true;
        };
        if schedule.burst_left > 0 {
            schedule.burst_left -= 1;
            return true;
        }
        if schedule.is_over(now) {
            self.schedule = None;
            return true;
        }
        let may_send = schedule.next() <= now;
        schedule.sent += u32::from(may_send);
        may_send
    }

    /// Returns the time at which the next call may be sent, or `None` if calls are not paced.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.schedule.as_ref().map(Schedule::next)
    }
}

impl Schedule {
    fn new(start: Timestamp, burst_left: usize, pace: Pace) -> Self {
        Self {
            burst_left,
            start,
            sent: 0,
            pace,
        }
    }

    /// Starts the next second if it is due. Returns `true` if the rate needs no pacing any more.
    fn is_over(&mut self, now: Timestamp) -> bool {
        while let Pace::Rate(rate) = self.pace
            && (self.sent >= rate || now > self.start + SECOND)
        {
            if rate > MAX_RATE / 2 {
                return true;
            }
            self.start = self.start + SECOND;
            self.sent = 0;
            self.pace = Pace::Rate(rate * 2);
        }
        false
    }

    /// Returns the time of the next call.
    fn next(&self) -> Timestamp {
        let number = self.sent.saturating_add(1);
        match self.pace {
            Pace::Interval(interval) => self.start + interval.saturating_mul(number),
            Pace::Rate(rate) => self.start + SECOND.saturating_mul(number) / rate,
        }
    }
}

/// The number of successful requests in this second and the previous one.
#[derive(Default)]
struct Successes {
    second: i64,
    current: u32,
    previous: u32,
}

impl Successes {
    fn count(&mut self, now: Timestamp) {
        self.advance(now);
        self.current = self.current.saturating_add(1);
    }

    fn advance(&mut self, now: Timestamp) {
        let second = now.as_millis().div_euclid(1000);
        if second != self.second {
            let is_next = second == self.second.saturating_add(1);
            self.previous = if is_next { self.current } else { 0 };
            self.current = 0;
            self.second = second;
        }
    }

    /// Estimates the number of successful requests in the last 1,000 ms.
    fn last_second(&mut self, now: Timestamp) -> u32 {
        self.advance(now);
        let left = 1000 - now.as_millis().rem_euclid(1000);
        let share = u64::from(self.previous) * left.unsigned_abs() / 1000;
        self.current
            .saturating_add(u32::try_from(share).unwrap_or(u32::MAX))
    }
}
