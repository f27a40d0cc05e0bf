//! The number of steps grows linearly with the length of the text, for every input.

use proptest::prelude::*;

use super::chars::steps_of;
use super::nodes::Nodes;
use super::{MarkupSource, is_plain, parse_markup, read};
use crate::content::{ContentBlock, MAX_NESTING, TextNode};

/// Strings that are hard to parse when repeated: openings without an end, closings without a start,
/// and candidates that are long or lead to nothing.
const PATTERNS: [&str; 48] = [
    "*",
    "*a",
    "a*",
    " *a",
    "*a* ",
    "_*~",
    "*_~a",
    " *a _b ~c",
    "*a\n",
    "~a~b",
    "`",
    "```",
    "```a",
    "<",
    "<a",
    "<!",
    "<!--",
    "</a>",
    "<a>",
    "<a b='",
    "<!!mention:",
    "<!!mention:a|",
    "<!!customemoji:",
    "<http://",
    "<http://a|",
    "<http://a|b",
    "<actionlink:",
    "<actionlink:a|*b*",
    "- ",
    "-\n",
    "\n",
    " ",
    "- a\n",
    "http://",
    "http://a.b/",
    "a:b.c",
    "//",
    "@",
    "a@b.c",
    "mailto:",
    "a.",
    "a-",
    "((((",
    "(1",
    "1",
    "1-",
    "1.2.3.4:5/a(",
    "&lt;",
];

fn work_of(text: &str) -> u64 {
    steps_of(|| {
        parse_markup(text, MarkupSource::Send);
        parse_markup(text, MarkupSource::Edit);
    })
}

fn check(text: impl Fn(usize) -> String, name: &str) {
    let (once, twice) = (text(1 << 10), text(1 << 11));
    let (work, more_work) = (work_of(&once), work_of(&twice));
    assert!(
        more_work <= 2 * work + 1000,
        "{name}: {work} grows to {more_work}"
    );
    assert!(
        work <= 100 * once.len() as u64,
        "{name}: {work} for {} bytes",
        once.len()
    );
}

#[test]
fn parse_work_is_linear() {
    for pattern in PATTERNS {
        check(|length| pattern.repeat(length), pattern);
    }
}

#[test]
fn parse_work_of_mixed_text_is_linear() {
    for first in PATTERNS {
        for second in PATTERNS.iter().step_by(3) {
            let name = format!("{first} and {second}");
            let count = |length: usize| length / 16;
            check(
                |length| first.repeat(count(length)) + &second.repeat(count(length)),
                &name,
            );
            check(
                |length| format!("{first}{second}").repeat(count(length)),
                &name,
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn parse_work_of_repeated_text_is_linear(
        pieces in prop::collection::vec(prop::sample::select(&PATTERNS[..]), 1..6),
        any in ".{0,4}",
    ) {
        let text = pieces.concat() + &any;
        let times = (1 << 10) / text.len();
        check(|length| text.repeat((length >> 10) * times), &text);
    }
}

#[test]
fn parse_nesting_is_bounded() {
    let depth = |text: &str| {
        fn depth(nodes: &[TextNode]) -> usize {
            nodes
                .iter()
                .map(|node| 1 + depth(node.children()))
                .max()
                .unwrap_or(0)
        }
        let mut content = parse_markup(text, MarkupSource::Edit);
        match content.pop() {
            Some(ContentBlock::Text(block)) => depth(&block.children),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(depth("- <http://a|*b _c ~d~_*>"), 7);
    for pattern in ["*_~", "*a _b ~c ", "* *", "- ", "<http://a|*", "```"] {
        let closing: String = pattern.chars().rev().collect();
        let length = 10_000;
        let text = format!("{}x{}", pattern.repeat(length), closing.repeat(length));
        assert!(depth(&text) < MAX_NESTING, "{pattern}");
    }
}

#[test]
fn parse_long_text_succeeds() {
    for pattern in ["*", "_*~", "<", "http://", "@", "((((", "1"] {
        let text = pattern.repeat((1 << 17) / pattern.len());
        let content = parse_markup(&text, MarkupSource::Send);
        let without_markers = |text: &str| text.replace(['*', '_', '~'], "");
        assert_eq!(
            without_markers(&crate::content::plaintext(&content)),
            without_markers(&text)
        );
    }
}

#[test]
fn is_plain_accepts_common_texts() {
    for text in [
        "",
        "Hello, world!",
        "The kettle is on. No?\nÇa va…",
        "(and so on.)\t",
    ] {
        assert_eq!(is_plain(text), !text.contains(".)"), "{text}");
    }
}

proptest! {
    #[test]
    fn parse_plain_text_is_one_node(
        text in prop_oneof![
            "[a-zA-ZéßİあＡ１。&;#!?,()\\[\\]{}='\"%$^|\\\\ .\n\r\t\u{a0}\u{200b}😀]{0,40}",
            "(www|com|a|&amp;|#|\\.|[ \n>]|\"|[(])([ \n.]|b){0,12}",
            "\\PC{0,20}",
        ],
    ) {
        prop_assume!(is_plain(&text));
        for source in [MarkupSource::Send, MarkupSource::Edit, MarkupSource::Translation] {
            let (mut expected, mut nodes) = (Nodes::default(), Nodes::default());
            expected.push_text(&text);
            read(&text, source, &mut nodes);
            prop_assert_eq!(nodes.finish(), expected.finish());
        }
    }
}
