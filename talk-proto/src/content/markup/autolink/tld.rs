//! The existing top-level domains, as listed by Autolinker.js 4.1.5.

/// The names in lower case, one per line, sorted by bytes.
const KNOWN: &str = include_str!("tlds.txt");

/// Returns `true` if the top-level domain exists, ignoring case.
pub(super) fn is_known(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut rest = KNOWN;
    while !rest.is_empty() {
        let middle = rest.floor_char_boundary(rest.len() / 2);
        let start = rest[..middle].rfind('\n').map_or(0, |end| end + 1);
        let end = rest[start..]
            .find('\n')
            .map_or(rest.len(), |length| start + length);
        match name.as_str().cmp(&rest[start..end]) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = &rest[..start],
            std::cmp::Ordering::Greater => rest = rest.get(end + 1..).unwrap_or_default(),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, is_known};

    #[test]
    fn tld_list_is_sorted_and_found() {
        assert!(KNOWN.lines().is_sorted());
        assert!(KNOWN.lines().all(is_known));
    }

    #[test]
    fn tld_unlisted_name_is_unknown() {
        for name in ["", "\n", "co\nm", "zzz", "aaaa", "con", "\u{10ffff}"] {
            assert!(!is_known(name), "{name}");
        }
        assert!(is_known("COM") && is_known("РФ"));
    }
}
