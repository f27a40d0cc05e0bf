//! Fuzz target for the response to a search.

use talk_proto::search::SearchKind;

use crate::support::found::find;

/// The number of times that a response without an end repeats its body.
const ENDLESS: usize = 100;

/// Searches with a response from the input. The first bytes choose the kind, the limits and the
/// sizes of the pieces; the rest is the body, which may be repeated. The results and the next page
/// must not depend on the pieces. `find` checks that a page is cut off at its limits.
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
