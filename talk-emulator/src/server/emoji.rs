use std::borrow::Cow;

use super::refusal::Refusal;

/// The maximum length of a custom emoji, in characters including the colons.
const MAX_CUSTOM: usize = 50;

/// Returns the stored form of an emoji: a fully qualified Unicode emoji, or `:name:`, whose name
/// has no colon, space or control character.
///
/// Spellings that differ in variation selectors have the same stored form.
pub(super) fn normalise(emoji: &str) -> Result<Cow<'_, str>, Refusal> {
    if let Some(known) = emojis::get(emoji) {
        return Ok(Cow::Borrowed(known.as_str()));
    }
    if is_custom(emoji) {
        return Ok(Cow::Borrowed(emoji));
    }
    let bare: String = emoji.chars().filter(|c| *c != '\u{FE0F}').collect();
    emojis::get(&bare)
        .map(|known| Cow::Borrowed(known.as_str()))
        .ok_or_else(|| {
            Refusal::invalid(
                "INVALID_EMOJI",
                "A reaction is one Unicode emoji, or `:name:` of at most 50 characters.",
            )
        })
}

fn is_custom(emoji: &str) -> bool {
    let name = emoji
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'));
    let is_name = |c: char| c != ':' && !c.is_whitespace() && !c.is_control();
    name.is_some_and(|name| !name.is_empty() && name.chars().all(is_name))
        && emoji.chars().count() <= MAX_CUSTOM
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn normalise_variation_selectors_become_one() {
        for (given, stored) in [
            ("👍", "👍"),
            ("👍\u{FE0F}", "👍"),
            ("❤", "❤\u{FE0F}"),
            ("❤\u{FE0F}", "❤\u{FE0F}"),
            ("👨‍👩‍👧", "👨‍👩‍👧"),
            ("🇳🇱", "🇳🇱"),
            ("1\u{20E3}", "1\u{FE0F}\u{20E3}"),
            ("👍🏽", "👍🏽"),
            (":party-parrot:", ":party-parrot:"),
        ] {
            assert_eq!(normalise(given).as_deref(), Ok(stored));
        }
    }

    #[test]
    fn normalise_invalid_emoji_is_refused() {
        let long = format!(":{}:", "x".repeat(49));
        for given in [
            "", "a", "👍👍", "👍a", ":", "::", ":a", "a:", ":a:b:", ":a b:", ": :", ":a\n:", &long,
            "\u{FE0F}",
        ] {
            assert!(normalise(given).is_err(), "{given:?} is no emoji");
        }
    }
}
