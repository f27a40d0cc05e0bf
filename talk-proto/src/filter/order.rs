//! The orders of JavaScript, in which normal forms are sorted.

use std::cmp::Ordering;

/// By UTF-16 code units, which is not how Rust orders texts.
pub(super) fn by_utf16(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// The order in which an object that was made in order of its keys lists them: indices first, by
/// their value.
pub(super) fn by_object_key(a: &str, b: &str) -> Ordering {
    match (index(a), index(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => by_utf16(a, b),
    }
}

/// A key that is the usual form of an integer below 2³² − 1.
fn index(key: &str) -> Option<u32> {
    let index = key.parse().ok().filter(|&index| index != u32::MAX)?;
    let is_usual = key == "0" || !key.starts_with(['0', '+']);
    is_usual.then_some(index)
}
