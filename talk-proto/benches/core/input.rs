//! Inputs that can be of any length.

use serde_json::json;

use crate::work::Work;

/// Something of everything that can stand in a text.
const MARKUP: &str = "Some *bold* and _italic ~text~_, see https://example.com/a?b=c or readme.md,\n\
    - a point, ```code```, <tag>, me@example.com, +31 20 123 45 67 and this_ doesn't _change.\n";

/// What people write, day by day.
pub(crate) const PLAIN: &str = "The kettle is on, and there is cake left from yesterday. Come in! ";

/// What `work` is done with.
pub(crate) fn of(work: Work) -> String {
    match work {
        Work::Filter(count) => {
            let simple = |n| json!({"custom": {"category": ["oneOf", [format!("c{n:07}"), "x"]]}});
            let simple: Vec<_> = (0..count).map(simple).collect();
            json!(["any", simple]).to_string()
        }
        Work::Search(count) => {
            let side = |n: u64| {
                json!({"id": format!("found_{n:06}"), "subject": null, "photoUrl": null,
                    "welcomeMessages": [], "custom": {}, "createdAt": n, "joinedAt": n,
                    "lastMessageAt": n, "unreadMessageCount": 0, "isUnread": false,
                    "readUntil": n, "everyoneReadUntil": n, "access": "ReadWrite", "notify": true})
            };
            let lines: Vec<_> = (0..count).map(|n| side(n).to_string()).collect();
            format!("{{\"data\":[\n{}\n]}}", lines.join("\n,"))
        }
        Work::Markup(kib) => repeated(MARKUP, kib),
        _ => String::new(),
    }
}

/// A text of this many KiB, or a little less.
pub(crate) fn repeated(pattern: &str, kib: u64) -> String {
    let size = usize::try_from(kib)
        .unwrap_or(usize::MAX)
        .saturating_mul(1024);
    pattern.repeat(size / pattern.len())
}
