//! Paths of requests, with segments encoded like `encodeURIComponent`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that are encoded: all except letters, digits and `-_.!~*'()`, as in
/// `encodeURIComponent`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Encodes a segment of a path or a value of a query like `encodeURIComponent`. The result can be
/// formatted, and is an iterator over its pieces.
///
/// ```
/// let segment = talk_proto::encode_component("a/b c").to_string();
/// assert_eq!(segment, "a%2Fb%20c");
/// ```
pub fn encode_component(text: &str) -> impl fmt::Display + Iterator<Item = &str> {
    utf8_percent_encode(text, COMPONENT)
}

/// Builds a path from alternating literals and segments to encode, as in
/// `path(&["/users/", id, "/online"])`.
pub(crate) fn path(pieces: &[&str]) -> String {
    let mut path = String::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    for (i, piece) in pieces.iter().enumerate() {
        if i % 2 == 0 {
            path.push_str(piece);
        } else {
            path.extend(encode_component(piece));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn path_segment_is_encoded_as_uri_component() {
        let path = path(&["/me/conversations/", "a/b c?é'()*!~", "/read"]);
        assert_eq!(path, "/me/conversations/a%2Fb%20c%3F%C3%A9'()*!~/read");
    }
}
