//! Idempotency keys, which prevent a message that is sent twice from being posted twice.

use fastrand::Rng;

use crate::fault_injection::FaultInjection;
use crate::timestamp::Timestamp;

/// The 64 characters of a key, in ASCII order, so that keys sort by their time.
const ALPHABET: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// Returns a new key with 12 random characters.
pub(crate) fn idempotency_key(now: Timestamp, rng: &mut Rng) -> String {
    if FaultInjection::ReusedKey.is_on() {
        return "-".repeat(20);
    }
    idempotency_key_at(now, std::iter::repeat_with(|| rng.u64(..)))
}

/// Returns the idempotency key of a moment: 8 characters for its milliseconds, most significant
/// first, then 12 characters, each from the lowest six bits of an item of `bits`.
pub fn idempotency_key_at(at: Timestamp, bits: impl Iterator<Item = u64>) -> String {
    let millis = at.unsigned_millis();
    let time = (0..8).rev().map(|place| millis >> (6 * place));
    time.chain(bits.take(12)).map(character).collect()
}

/// Returns the character for the lowest six bits.
fn character(bits: u64) -> char {
    ALPHABET
        .get((bits & 63) as usize)
        .map_or('-', |&byte| char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys_sort_by_time() {
        let mut rng = Rng::with_seed(1);
        let keys: Vec<_> = [0, 1, 63, 64, 1_700_000_000_000, (1 << 48) - 1]
            .map(|millis| idempotency_key(Timestamp::from_millis(millis), &mut rng))
            .into();
        assert!(keys.iter().all(|key| key.len() == 20));
        assert!(keys.is_sorted());
        assert_eq!(&keys[1][..8], "-------0");
        assert_eq!(&keys[5][..8], "zzzzzzzz");
    }

    #[test]
    fn idempotency_keys_of_one_moment_differ() {
        let mut rng = Rng::with_seed(1);
        let now = Timestamp::from_millis(5);
        assert_ne!(
            idempotency_key(now, &mut rng),
            idempotency_key(now, &mut rng)
        );
    }
}
