//! Fuzz target for one unreadable item among readable ones.

use crate::support::junk::replace_item;

/// Puts JSON in the place of one item of a page, map, publish or search. The first bytes choose the
/// kind and the item. All other items must be shown as without it.
pub fn junk(data: &[u8]) {
    if let [kind, place, junk @ ..] = data
        && let Ok(junk) = std::str::from_utf8(junk)
    {
        replace_item(*kind, *place, junk);
    }
}
