//! Any answer to a search, in any pieces.

use talk_proto::search::SearchKind;

use crate::support::found::find;

/// The first bytes say what is searched for and how long the pieces are, the rest is the answer.
/// The pieces do not matter: what is found, and what the next page is asked for with, is the same.
pub fn search_stream(data: &[u8]) {
    let [kind, a, b, c, body @ ..] = data else {
        return;
    };
    let line_limit = if kind & 2 == 0 { 1 << 20 } else { 1_500 };
    let kind = match kind & 1 {
        0 => SearchKind::Messages,
        _ => SearchKind::Conversations,
    };
    let pieces = [*a, *b, *c].map(|size| usize::from(size) + 1);
    let whole = find(kind, line_limit, body, &[usize::MAX]);
    assert_eq!(find(kind, line_limit, body, &pieces), whole);
}
