//! Durations on the command line.

use std::time::Duration;

/// The largest accepted number of seconds: a hundred years. Larger ones overflow clocks.
const MAX_SECONDS: u64 = 100 * 365 * 24 * 3600;

/// Reads a number of seconds, with or without a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    match duration <= Duration::from_secs(MAX_SECONDS) {
        true => Ok(duration),
        false => Err(format!("expected at most {MAX_SECONDS} seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_accepted_up_to_a_century() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        let century = Duration::from_secs(MAX_SECONDS);
        assert_eq!(seconds(&MAX_SECONDS.to_string()), Ok(century));
        for wrong in ["", "a", "-1", "nan", "inf", "3153600001", "1e19", "1e300"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
