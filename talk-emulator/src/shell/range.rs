use std::ops::Range;

/// The bytes requested by a `Range` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// The whole file. Several ranges, other units and malformed headers are ignored, as RFC 9110
    /// (section 14.2) allows.
    All,
    /// A range within the file.
    Part(Range<u64>),
    /// A range outside the file.
    Unsatisfiable,
}

/// Parses a `Range` header for a file of `size` bytes.
pub(crate) fn parse_range(header: Option<&str>, size: u64) -> ByteRange {
    header
        .and_then(|header| header.strip_prefix("bytes="))
        .and_then(|spec| spec.trim().split_once('-'))
        .and_then(|(first, last)| part(first, last, size))
        .unwrap_or(ByteRange::All)
}

fn part(first: &str, last: &str, size: u64) -> Option<ByteRange> {
    let range = match (first, last) {
        ("", suffix) => size.saturating_sub(number(suffix)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if range.start < range.end {
        ByteRange::Part(range)
    } else {
        ByteRange::Unsatisfiable
    })
}

fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{ByteRange, parse_range};

    #[test]
    fn parse_range_follows_rfc_9110() {
        let cases = [
            ("bytes=0-0", ByteRange::Part(0..1)),
            ("bytes=2-5", ByteRange::Part(2..6)),
            ("bytes=2-", ByteRange::Part(2..10)),
            ("bytes=-3", ByteRange::Part(7..10)),
            ("bytes=-30", ByteRange::Part(0..10)),
            ("bytes=8-99", ByteRange::Part(8..10)),
            ("bytes=10-", ByteRange::Unsatisfiable),
            ("bytes=10-12", ByteRange::Unsatisfiable),
            ("bytes=-0", ByteRange::Unsatisfiable),
            ("bytes=5-2", ByteRange::All),
            ("bytes=0-1,4-5", ByteRange::All),
            ("bytes=-", ByteRange::All),
            ("bytes=+1-2", ByteRange::All),
            ("lines=1-2", ByteRange::All),
            ("", ByteRange::All),
        ];
        for (header, expected) in cases {
            assert_eq!(parse_range(Some(header), 10), expected, "{header}");
        }
        assert_eq!(parse_range(None, 10), ByteRange::All);
    }

    #[test]
    fn parse_range_empty_file_is_unsatisfiable() {
        assert_eq!(parse_range(Some("bytes=0-"), 0), ByteRange::Unsatisfiable);
        assert_eq!(parse_range(Some("bytes=-1"), 0), ByteRange::Unsatisfiable);
    }
}
