//! Removal of control characters from text of other users.
//!
//! Control characters can move the cursor, change the title or forge output. Bidirectional controls
//! can change the apparent text. A line break in a name can forge the line of another user.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `true` if a terminal interprets a character instead of showing it.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}' | '\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
}

/// Returns text for one line, such as a name. Line breaks and tabs are replaced too.
pub(crate) fn line(text: &str) -> String {
    text.chars()
        .map(|c| if is_control(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Returns text for several lines. Line breaks and tabs are kept.
pub(crate) fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if is_control(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Returns equivalent JSON in which raw control characters are escaped. They occur only in strings.
pub(crate) fn json(json: &str) -> Cow<'_, str> {
    // The first bytes of all control characters in UTF-8, so that plain output needs only a scan of
    // its bytes.
    let may_start_control = |byte| matches!(byte, ..0x20 | 0x7f | 0xc2 | 0xd8 | 0xe2);
    if !json.bytes().any(may_start_control) {
        return json.into();
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_control(c) {
            // Writing to a String cannot fail. Every control character is one UTF-16 unit.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROLS: &str = "\x1b[2J\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\r";

    #[test]
    fn line_replaces_controls_and_line_breaks() {
        let safe = line(CONTROLS);
        assert!(!safe.contains(is_control), "{safe:?}");
        assert_eq!(safe.chars().count(), CONTROLS.chars().count());
        assert_eq!(line("Bob\nAlice\thi"), "Bob\u{fffd}Alice\u{fffd}hi");
        assert_eq!(line("👩‍👩‍👧 é"), "👩‍👩‍👧 é");
    }

    #[test]
    fn lines_keeps_line_breaks_and_tabs() {
        assert_eq!(lines("a\r\nb\tc\rd\x1b"), "a\nb\tc\u{fffd}d\u{fffd}");
    }

    #[test]
    fn json_escapes_controls_and_keeps_the_value() {
        let value = serde_json::json!({ CONTROLS: [CONTROLS, "é"] });
        let raw = value.to_string();
        let safe = json(&raw);
        assert!(!safe.contains(is_control), "{safe:?}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
            value
        );
        assert!(matches!(json("{\"a\":\"é\"}"), Cow::Borrowed(_)));
    }
}
