//! Timestamps: display, conversions and arithmetic.

use super::{Duration, SystemTime, Timestamp, UNIX_EPOCH};

#[test]
fn timestamp_display_is_rfc_3339() {
    let shown = |millis| Timestamp::from_millis(millis).to_string();
    assert_eq!(shown(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(shown(-1), "1969-12-31T23:59:59.999Z");
    assert_eq!(shown(951_782_400_000), "2000-02-29T00:00:00.000Z");
    assert_eq!(shown(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
    assert_eq!(shown(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    assert_eq!(shown(253_402_300_799_999), "9999-12-31T23:59:59.999Z");
    assert_eq!(shown(253_402_300_800_000), "+010000-01-01T00:00:00.000Z");
    assert_eq!(shown(-62_167_219_200_001), "-000001-12-31T23:59:59.999Z");
    assert_eq!(shown(i64::MAX), "+292278994-08-17T07:12:55.807Z");
    assert_eq!(shown(i64::MIN), "-292275055-05-16T16:47:04.192Z");
}

#[test]
fn timestamp_system_time_round_trips() {
    for millis in [0, 1, -1, 1_700_000_000_123, -11_644_473_600_000] {
        let moment = Timestamp::from_millis(millis);
        assert_eq!(Timestamp::from(SystemTime::from(moment)), moment);
    }
    let last = UNIX_EPOCH + Duration::from_millis(253_402_300_799_999);
    assert_eq!(SystemTime::from(Timestamp::from_millis(i64::MAX)), last);
}

#[test]
fn timestamp_arithmetic_saturates() {
    let (first, last) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
    assert_eq!(last + Duration::MAX, last);
    assert_eq!(first - Duration::MAX, first);
    assert_eq!(last.saturating_since(first).as_millis(), u64::MAX.into());
    assert_eq!(first.saturating_since(last), Duration::ZERO);
}

#[cfg(feature = "jiff")]
#[test]
fn timestamp_jiff_round_trips_and_saturates() {
    let moment = Timestamp::from_millis(1_700_000_000_123);
    let jiff = jiff::Timestamp::from(moment);
    assert_eq!(jiff.as_millisecond(), 1_700_000_000_123);
    assert_eq!(Timestamp::from(jiff), moment);
    assert_eq!(
        jiff::Timestamp::from(Timestamp(i64::MIN)),
        jiff::Timestamp::MIN
    );
    assert_eq!(
        jiff::Timestamp::from(Timestamp(i64::MAX)),
        jiff::Timestamp::MAX
    );
}

#[cfg(feature = "chrono")]
#[test]
fn timestamp_chrono_round_trips_and_saturates() {
    use chrono::{DateTime, Utc};

    let moment = Timestamp::from_millis(1_700_000_000_123);
    let chrono = DateTime::<Utc>::from(moment);
    assert_eq!(chrono.timestamp_millis(), 1_700_000_000_123);
    assert_eq!(Timestamp::from(chrono), moment);
    assert_eq!(
        DateTime::from(Timestamp(i64::MIN)),
        DateTime::<Utc>::MIN_UTC
    );
    assert_eq!(
        DateTime::from(Timestamp(i64::MAX)),
        DateTime::<Utc>::MAX_UTC
    );
}
