//! Any text through the markup parser.

use talk_proto::{ContentBlock, ForWire, MarkupSource, parse_markup, plaintext};

/// Parses a text in every way. What comes of it can be written and read again.
pub fn markup(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for source in [MarkupSource::Send, MarkupSource::Edit, MarkupSource::Translation] {
        let blocks = parse_markup(&text, source);
        assert_eq!(blocks.len(), 1, "a text is one block");
        assert_round_trip(&blocks);
    }
}

fn assert_round_trip(blocks: &[ContentBlock]) {
    let wire = serde_json::to_string(&ForWire(blocks)).expect("content can be written");
    let read: Vec<ContentBlock> = serde_json::from_str(&wire).expect("and read again");
    assert_eq!(plaintext(&read), plaintext(blocks));
}
