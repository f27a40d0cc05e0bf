//! Fuzz target for the markup parser.

use talk_proto::content::{ContentBlock, MarkupSource, parse_markup, plaintext, to_wire_json};

use crate::support::written::{has_list, written};

/// Parses a string in every mode. The result must survive a round trip through the wire format, and
/// must contain the whole string.
pub fn markup(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for source in [
        MarkupSource::Send,
        MarkupSource::Edit,
        MarkupSource::Translation,
    ] {
        let blocks = parse_markup(&text, source);
        assert_eq!(blocks.len(), 1, "a text is one block");
        assert_round_trip(&blocks);
        assert_lossless(&text, &blocks);
    }
}

fn assert_round_trip(blocks: &[ContentBlock]) {
    let wire = to_wire_json(blocks);
    let read: Vec<ContentBlock> = serde_json::from_str(&wire).expect("and read again");
    assert_eq!(plaintext(&read), plaintext(blocks));
}

/// Checks that the blocks contain the whole string. Spans with an ID or parameters are skipped,
/// because their plain text is shorter than their markup. With lists, only letters and digits are
/// compared, because spaces and the punctuation before emphasis may change.
fn assert_lossless(text: &str, blocks: &[ContentBlock]) {
    let hides = text.to_ascii_lowercase();
    if hides.contains("<!!") || hides.contains("<action") {
        return;
    }
    let written = written(blocks);
    if has_list(blocks) {
        let letters = |text: &str| {
            text.chars()
                .filter(|c| c.is_alphanumeric())
                .collect::<String>()
        };
        assert_eq!(letters(&written), letters(text));
    } else {
        assert_eq!(written, text);
    }
}
