//! Choices that follow from a seed.

use fastrand::Rng;

/// Returns a random element. The slice must not be empty.
pub(super) fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}

/// Returns a random element, with the probabilities given by the weights.
pub(super) fn pick_weighted<T: Copy>(rng: &mut Rng, from: &[(T, usize)]) -> T {
    let total: usize = from.iter().map(|(_, weight)| weight).sum();
    let mut at = rng.usize(..total);
    for (one, weight) in from {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return *one,
        }
    }
    from[0].0
}
