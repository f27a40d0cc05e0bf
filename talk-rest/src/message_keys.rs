//! Idempotency keys of messages.

use std::fmt;

use sha2::{Digest, Sha256};
use talk_proto::{Timestamp, idempotency_key_at};

/// A source of idempotency keys. The service posts messages with the same key once. See
/// [`Call::fill_keys`](crate::Call::fill_keys).
///
/// Keys are derived from the seed, so every process needs a random seed.
#[derive(Clone)]
pub struct MessageKeys {
    seed: u64,
    next: u64,
}

impl MessageKeys {
    /// Creates a source from a random seed.
    ///
    /// ```
    /// use std::hash::{BuildHasher, RandomState};
    /// use talk_rest::MessageKeys;
    ///
    /// // Every hasher of the standard library has keys from the system's randomness.
    /// let keys = MessageKeys::new(RandomState::new().hash_one("talk"));
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// Returns a new key: eight characters for the time, most significant first, and twelve that
    /// are derived from the seed.
    pub fn next_key(&mut self, now: Timestamp) -> String {
        let count = self.next;
        self.next = self.next.wrapping_add(1);
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(count.to_be_bytes());
        idempotency_key_at(now, hash.finalize().into_iter().map(u64::from))
    }
}

/// Hides the seed, from which all keys can be computed.
impl fmt::Debug for MessageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_keys_differ_and_sort_by_time() {
        let mut keys = MessageKeys::new(7);
        let times = [0, 63, 64, 1_767_225_600_000, 1_767_225_600_000];
        let keys: Vec<_> = times
            .map(|millis| keys.next_key(Timestamp::from_millis(millis)))
            .into();
        assert!(keys.iter().all(|key| key.len() == 20));
        assert!(keys[..4].is_sorted());
        assert_eq!(keys[3][..8], keys[4][..8]);
        assert_ne!(keys[3], keys[4]);
        let other = MessageKeys::new(8).next_key(Timestamp::from_millis(0));
        assert_ne!(keys[0], other);
    }
}
