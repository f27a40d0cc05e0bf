//! Properties of markup, for every text.

use proptest::prelude::*;
use talk_proto::content::{ContentBlock, MarkupSource, parse_markup, plaintext, to_wire_json};

use crate::support::written::{has_list, written};

/// Pieces that often become markup and whose text stays visible.
const PLAIN: [&str; 29] = [
    "*",
    "_",
    "~",
    "```",
    "`",
    " ",
    "\n",
    "a",
    "b",
    "é",
    "🎉",
    ".",
    "(",
    ")",
    "- ",
    "+ ",
    "<",
    ">",
    "|",
    "http://",
    "www.",
    "x.example",
    "@",
    "mailto:",
    "<https://x.example|",
    "+31 20 1234567",
    "&lt;",
    "\u{2028}",
    "\t",
];
/// Pieces that become spans with an ID or parameters.
const SPANS: [&str; 6] = [
    "<!!mention:u|",
    "<!!customemoji:",
    "<actionlink:",
    "<actionbutton:",
    "?k=v",
    "&",
];

fn text_of(pieces: Vec<&'static str>) -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(pieces), 0..24);
    prop_oneof![
        4 => pieces.prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn source() -> impl Strategy<Value = MarkupSource> {
    prop::sample::select(vec![
        MarkupSource::Send,
        MarkupSource::Edit,
        MarkupSource::Translation,
    ])
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn markup_any_text_round_trips_as_one_block(
        text in text_of([&PLAIN[..], &SPANS].concat()),
        source in source(),
    ) {
        let blocks = parse_markup(&text, source);
        prop_assert_eq!(blocks.len(), 1);
        let wire = to_wire_json(&blocks);
        let read: Vec<ContentBlock> = serde_json::from_str(&wire).expect("and read again");
        prop_assert_eq!(plaintext(&read), plaintext(&blocks));
        prop_assert_eq!(read, blocks);
    }

    /// If there is a list, spaces and the punctuation before emphasis may change.
    #[test]
    fn markup_plain_text_is_preserved(text in text_of(PLAIN.to_vec()), source in source()) {
        let blocks = parse_markup(&text, source);
        if has_list(&blocks) {
            prop_assert_eq!(letters(&written(&blocks)), letters(&text));
        } else {
            prop_assert_eq!(written(&blocks), text);
        }
    }
}
