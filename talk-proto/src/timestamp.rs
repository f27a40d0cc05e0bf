//! Timestamps in unix milliseconds, the only representation of a moment in this crate.

#![expect(
    clippy::disallowed_types,
    reason = "converts from and to SystemTime, without a clock"
)]

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

#[cfg(test)]
mod tests;

/// A moment, in unix milliseconds.
///
/// Serialises as a JSON integer. `Display` is RFC 3339 in UTC. Converts from and to [`SystemTime`]
/// and, with the features of the same names, the timestamps of `jiff` and `chrono`; a moment
/// outside the range of the target becomes the nearest one inside. The current time is
/// `Timestamp::from(SystemTime::now())`.
///
/// A [`Session`](crate::Session) expects moments that never decrease: the wall clock at start plus
/// monotonic elapsed time, moved forward when the wall clock is more than 5 s ahead (the machine
/// was suspended). An earlier moment counts as the latest one seen.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use talk_proto::Timestamp;
///
/// let moment = Timestamp::from_millis(1_700_000_000_123) + Duration::from_secs(1);
/// assert_eq!(moment.as_millis(), 1_700_000_001_123);
/// assert_eq!(moment.to_string(), "2023-11-14T22:13:21.123Z");
/// assert_eq!(Timestamp::from(SystemTime::from(moment)), moment);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Returns the moment `millis` milliseconds after the unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the unix epoch, negative before it.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time from `earlier` to this moment, or zero if `earlier` is later.
    ///
    /// ```
    /// use std::time::Duration;
    /// use talk_proto::Timestamp;
    ///
    /// let (earlier, later) = (Timestamp::from_millis(1_000), Timestamp::from_millis(3_000));
    /// assert_eq!(later.saturating_since(earlier), Duration::from_secs(2));
    /// assert_eq!(earlier.saturating_since(later), Duration::ZERO);
    /// ```
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 {
            return Duration::ZERO;
        }
        Duration::from_millis(self.0.abs_diff(earlier.0))
    }

    /// Returns the earliest of the times that are present.
    pub(crate) fn earliest(times: &[Option<Self>]) -> Option<Self> {
        times
            .iter()
            .fold(None, |earliest, time| match (earliest, *time) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            })
    }

    /// Returns the milliseconds since the unix epoch, zero before it.
    pub(crate) fn unsigned_millis(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(saturating_millis(rhs)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(saturating_millis(rhs)))
    }
}

fn saturating_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, in_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil_date(days);
        match year {
            0..=9999 => write!(f, "{year:04}")?,
            // RFC 3339 ends here. ISO 8601 and JavaScript write longer years with a sign.
            _ => write!(f, "{year:+07}")?,
        }
        let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
        let (second, milli) = (in_day / 1000 % 60, in_day % 1000);
        write!(
            f,
            "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

/// Returns year, month and day of a day counted from the unix epoch. (The algorithm is
/// `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": years begin
/// in March, so that a leap day is the last of its year.)
fn civil_date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(saturating_millis(after)),
            Err(before) => Self(saturating_millis(before.duration()).saturating_neg()),
        }
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        // The years 1601 to 9999: every platform's clock can represent them, except that some
        // begin at the unix epoch.
        let millis = time.0.clamp(-11_644_473_600_000, 253_402_300_799_999);
        let distance = Duration::from_millis(millis.unsigned_abs());
        let time = if millis < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(UNIX_EPOCH)
    }
}

#[cfg(feature = "jiff")]
impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self(time.as_millisecond())
    }
}

#[cfg(feature = "jiff")]
impl From<Timestamp> for jiff::Timestamp {
    fn from(time: Timestamp) -> Self {
        let nearest = if time.0 < 0 { Self::MIN } else { Self::MAX };
        Self::from_millisecond(time.0).unwrap_or(nearest)
    }
}

#[cfg(feature = "chrono")]
impl From<chrono::DateTime<chrono::Utc>> for Timestamp {
    fn from(time: chrono::DateTime<chrono::Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

#[cfg(feature = "chrono")]
impl From<Timestamp> for chrono::DateTime<chrono::Utc> {
    fn from(time: Timestamp) -> Self {
        let nearest = if time.0 < 0 {
            Self::MIN_UTC
        } else {
            Self::MAX_UTC
        };
        Self::from_timestamp_millis(time.0).unwrap_or(nearest)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// Accepts any JSON number. Fractions are truncated, and numbers out of range are clamped.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MillisVisitor;

        impl Visitor<'_> for MillisVisitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of milliseconds")
            }

            fn visit_i64<E>(self, value: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Timestamp, E> {
                Ok(Timestamp(i64::try_from(value).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Timestamp, E> {
                #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
                Ok(Timestamp(value as i64))
            }
        }

        deserializer.deserialize_i64(MillisVisitor)
    }
}
