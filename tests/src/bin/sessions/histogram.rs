//! Statistics of delays.

use serde::Serialize;

/// Returns the largest share of the times in any window of this length.
pub(crate) fn largest_share(times: &[u64], window: u64) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let mut first = 0;
    let mut largest = 0;
    for (last, time) in times.iter().enumerate() {
        while time - times[first] >= window {
            first += 1;
        }
        largest = largest.max(last + 1 - first);
    }
    largest as f64 / times.len().max(1) as f64
}

/// Returns the share of the times in each of `ranges` ranges of this width. The last range also
/// contains all larger times.
pub(crate) fn shares(times: &[u64], width: u64, ranges: usize) -> Vec<f64> {
    let mut counts = vec![0; ranges];
    for time in times {
        let range = usize::try_from(time / width).unwrap_or(usize::MAX);
        counts[range.min(ranges - 1)] += 1;
    }
    let total = times.len().max(1) as f64;
    let share = |count: u32| (f64::from(count) / total * 10_000.0).round() / 10_000.0;
    counts.into_iter().map(share).collect()
}

/// A Kolmogorov-Smirnov test against the uniform distribution from 0 to 1,000.
#[derive(Debug, Serialize)]
pub(crate) struct Deviation {
    /// The largest distance from the uniform distribution, from 0 to 1.
    largest: f64,
    /// The distance that one in a thousand uniform samples of this size exceeds.
    critical: f64,
    #[serde(rename = "met")]
    pub(crate) is_met: bool,
}

/// Tests the times against the uniform distribution from 0 to 1,000. Without times, the test fails.
pub(crate) fn deviation_from_uniform(times: &[u64]) -> Deviation {
    let mut times = times.to_vec();
    times.sort_unstable();
    let count = times.len() as f64;
    let largest = times
        .iter()
        .zip(1u32..)
        .fold(0.0_f64, |largest, (time, rank)| {
            // Times are whole numbers. Each represents the middle of the interval that is rounded
            // to it.
            let expected = ((*time as f64 + 0.5) / 1_001.0).min(1.0);
            let (below, above) = (f64::from(rank - 1) / count, f64::from(rank) / count);
            largest
                .max((expected - below).abs())
                .max((above - expected).abs())
        });
    let critical = 1.95 / count.sqrt();
    Deviation {
        largest,
        critical,
        is_met: !times.is_empty() && largest <= critical,
    }
}
