//! Inputs of arbitrary length.

use serde_json::json;

use crate::support::frames;
use crate::work::Work;

/// A piece with every kind of markup.
const MARKUP: &str = "Some *bold* and _italic ~text~_, see https://example.com/a?b=c or \
    readme.md,\n\
    - a point, ```code```, <tag>, me@example.com, +31 20 123 45 67 and this_ doesn't _change.\n";

/// A piece of everyday plain text.
pub(crate) const PLAIN: &str = "The kettle is on, and there is cake left from yesterday. Come in! ";

/// Returns the input of `work`.
pub(crate) fn of(work: Work) -> String {
    match work {
        Work::Filter(count) => {
            let simple = |n| json!({"custom": {"category": ["oneOf", [format!("c{n:07}"), "x"]]}});
            let simple: Vec<_> = (0..count).map(simple).collect();
            json!(["any", simple]).to_string()
        }
        Work::Search(count) => {
            let lines: Vec<_> = (0..count).map(|n| frames::found(n).to_string()).collect();
            lines.join("\n")
        }
        Work::Markup(kib) => repeated(MARKUP, kib),
        _ => String::new(),
    }
}

/// Returns `pattern` repeated to at most this many KiB.
pub(crate) fn repeated(pattern: &str, kib: u64) -> String {
    let size = usize::try_from(kib)
        .unwrap_or(usize::MAX)
        .saturating_mul(1024);
    pattern.repeat(size / pattern.len())
}
