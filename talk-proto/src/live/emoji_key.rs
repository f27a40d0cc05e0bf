//! The identity of an emoji.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::model::Emoji;

/// Selects the colour form of the preceding character. Servers normalise its use.
const VARIATION_SELECTOR: char = '\u{FE0F}';

/// An emoji in the key of a store.
///
/// Spellings that differ only in variation selectors are equal, because the server stores them as
/// one emoji and uses one spelling in its events.
#[derive(Clone, Debug)]
pub(super) struct EmojiKey(Emoji);

impl EmojiKey {
    /// Returns the spelling of the first caller, for requests.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    fn identity(&self) -> impl Iterator<Item = char> + '_ {
        let is_custom = self.as_str().starts_with(':');
        let is_significant = move |c: &char| is_custom || *c != VARIATION_SELECTOR;
        self.as_str().chars().filter(is_significant)
    }
}

impl From<Emoji> for EmojiKey {
    fn from(emoji: Emoji) -> Self {
        Self(emoji)
    }
}

impl Ord for EmojiKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(other.identity())
    }
}

impl PartialOrd for EmojiKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for EmojiKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for EmojiKey {}

impl Hash for EmojiKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().for_each(|c| c.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use super::EmojiKey;
    use crate::collections::HashSet;

    #[test]
    fn emoji_key_ignores_variation_selectors() {
        let keys = |spellings: &[&str]| {
            let keys = spellings
                .iter()
                .map(|&spelling| EmojiKey(spelling.try_into().unwrap()));
            keys.collect::<HashSet<_>>().len()
        };
        assert_eq!(keys(&["❤", "❤\u{FE0F}"]), 1);
        assert_eq!(keys(&["1\u{20E3}", "1\u{FE0F}\u{20E3}"]), 1);
        assert_eq!(keys(&["❤", "👍", "👍🏽"]), 3);
        assert_eq!(keys(&[":a:", ":a\u{FE0F}:"]), 2);
    }
}
