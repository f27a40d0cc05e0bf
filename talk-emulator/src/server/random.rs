/// A deterministic random number generator (SplitMix64). It is not suitable for secrets.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: u64,
}

const LETTERS_AND_DIGITS: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 20 characters hold 119 bits, enough to make collisions within an app impossible in practice.
const ID_LENGTH: usize = 20;

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns the state that determines all later numbers.
    pub(super) const fn state(&self) -> u64 {
        self.state
    }

    pub(super) const fn set_state(&mut self, state: u64) {
        self.state = state;
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Shuffles a list.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            // The bias of the remainder is irrelevant for a short list.
            let at = self.next() % (last as u64 + 1);
            list.swap(last, at as usize);
        }
    }

    /// Returns `prefix` followed by 20 random letters and digits.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        let mut id = String::with_capacity(prefix.len() + ID_LENGTH);
        id.push_str(prefix);
        for _ in 0..ID_LENGTH {
            // The bias of the remainder is irrelevant for an ID.
            let at = (self.next() % 62) as usize;
            id.push(char::from(LETTERS_AND_DIGITS[at]));
        }
        id
    }
}
