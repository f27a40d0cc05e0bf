//! Any response to a search, in any pieces.

use talk_proto::search::SearchKind;

use crate::support::found::find;

/// The number of times that a response without end repeats its body.
const ENDLESS: usize = 100;

/// Searches with a response from the input: its kind, limits and pieces, then the body, which may be
/// repeated. The pieces do not matter: the results and the next page are the same. `find` checks
/// that a page is cut off at its limits.
pub fn search_stream(data: &[u8]) {
    let [kind, a, b, c, body @ ..] = data else {
        return;
    };
    let frame_size = if kind & 2 == 0 { 1 << 20 } else { 1_500 };
    let repeated = if kind & 4 == 0 { 1 } else { ENDLESS };
    let kind = match kind & 1 {
        0 => SearchKind::Messages,
        _ => SearchKind::Conversations,
    };
    let body = body.repeat(repeated);
    let pieces = [*a, *b, *c].map(|size| usize::from(size) * repeated + 1);
    let whole = find(kind, frame_size, &body, &[usize::MAX]);
    assert_eq!(find(kind, frame_size, &body, &pieces), whole);
}
