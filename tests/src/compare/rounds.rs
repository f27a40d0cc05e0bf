//! Statistics over several rounds, because the load of the machine varies.

/// Returns the median, or NaN if there are no figures.
pub(super) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_unstable_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

/// Returns the percentile at `share` of sorted figures.
pub(super) fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let last = sorted.len().checked_sub(1)?;
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied()
}

/// Our figure and the other one, measured directly one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) ours: f64,
    pub(super) theirs: f64,
}

impl Pair {
    fn ratio(self) -> f64 {
        self.ours / self.theirs
    }
}

/// Returns the median ratio of the pairs.
pub(super) fn ratio(pairs: &[Pair]) -> f64 {
    median(pairs.iter().map(|pair| pair.ratio()))
}

/// Returns the medians of our figures and of the others.
pub(super) fn medians(pairs: &[Pair]) -> (f64, f64) {
    let ours = median(pairs.iter().map(|pair| pair.ours));
    let theirs = median(pairs.iter().map(|pair| pair.theirs));
    (ours, theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_value() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn percentile_is_a_measured_value() {
        let figures: Vec<u32> = (0..=100).collect();
        assert_eq!(percentile(&figures, 0.99), Some(99));
        assert_eq!(percentile(&figures[..1], 0.99), Some(0));
        assert_eq!(percentile::<u32>(&[], 0.99), None);
    }

    #[test]
    fn ratio_is_the_median_of_pairs() {
        // The machine was half as fast in the second round.
        let pairs = [(10.0, 5.0), (5.0, 2.5), (12.0, 4.0)];
        let pairs = pairs.map(|(ours, theirs)| Pair { ours, theirs });
        assert_eq!(ratio(&pairs), 2.0);
        assert_eq!(medians(&pairs), (10.0, 4.0));
    }
}
