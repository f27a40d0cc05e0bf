//! The core's only notion of time.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A moment, in unix milliseconds, given by the caller with every input.
///
/// The core expects that it never decreases; one that does is taken as the latest seen. Take it
/// as the wall clock at start plus monotonic elapsed time, moved forward when the wall clock is
/// more than 5 s ahead (the machine was suspended).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment `millis` milliseconds after the unix epoch.
    ///
    /// ```
    /// use talk_proto::Time;
    ///
    /// assert!(Time::from_millis(1_700_000_000_000) > Time::default());
    /// ```
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the unix epoch.
    ///
    /// ```
    /// use std::time::Duration;
    /// use talk_proto::Time;
    ///
    /// let later = Time::from_millis(1_700_000_000_000) + Duration::from_secs(1);
    /// assert_eq!(later.as_millis(), 1_700_000_001_000);
    /// ```
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment, zero when `earlier` is later.
    ///
    /// ```
    /// use std::time::Duration;
    /// use talk_proto::Time;
    ///
    /// let (earlier, later) = (Time::from_millis(1_000), Time::from_millis(3_000));
    /// assert_eq!(later.saturating_since(earlier), Duration::from_secs(2));
    /// assert_eq!(earlier.saturating_since(later), Duration::ZERO);
    /// ```
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let millis = u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
