//! Paths and queries.

use std::fmt::Write as _;

use talk_proto::encode_component;

/// Returns the path with these segments, each of them encoded.
pub(crate) fn path(segments: &[&str]) -> String {
    let mut path = String::new();
    for segment in segments {
        // Writing to a String cannot fail.
        let _ = write!(path, "/{}", encode_component(segment));
    }
    path
}

/// Returns `true` if a segment of the path is `.` or `..`, which many servers and proxies resolve:
/// the request would reach another entity.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

pub(crate) fn encode_query(pairs: &[(String, String)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| {
        let (name, value) = (encode_component(name), encode_component(value));
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_encoded_one_by_one() {
        assert_eq!(
            path(&["users", "a/b@example.com", "👍", "!~*'()-_."]),
            "/users/a%2Fb%40example.com/%F0%9F%91%8D/!~*'()-_."
        );
    }
}
