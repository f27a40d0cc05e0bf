use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

/// The strings of recorded frames in one buffer, so that recording a frame allocates nothing. The
/// oldest strings are removed first.
///
/// `Debug` does not show them.
#[derive(Default)]
pub(super) struct TextRing {
    bytes: VecDeque<u8>,
    /// The number of removed bytes. Positions include them.
    removed: u64,
}

impl TextRing {
    /// Returns the position of the next string.
    pub(super) fn end(&self) -> u64 {
        self.removed + self.bytes.len() as u64
    }

    pub(super) fn push(&mut self, text: &str) {
        self.bytes.extend(text.as_bytes());
    }

    /// Removes the oldest bytes.
    pub(super) fn remove(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
        self.removed += count as u64;
    }

    /// Returns the string at a position. It is empty if it was removed.
    pub(super) fn get(&self, position: u64, length: u32) -> String {
        let start = position.checked_sub(self.removed);
        let start = start.and_then(|start| usize::try_from(start).ok());
        let text = start.and_then(|start| self.copy(start..start + length as usize));
        // The bytes are those of a string.
        text.and_then(|text| String::from_utf8(text).ok())
            .unwrap_or_default()
    }

    fn copy(&self, range: Range<usize>) -> Option<Vec<u8>> {
        let (first, second) = self.bytes.as_slices();
        let split = first.len().clamp(range.start, range.end);
        let mut text = Vec::with_capacity(range.len());
        if range.start < split {
            text.extend_from_slice(first.get(range.start..split)?);
        }
        if split < range.end {
            text.extend_from_slice(second.get(split - first.len()..range.end - first.len())?);
        }
        Some(text)
    }
}

impl fmt::Debug for TextRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextRing")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::TextRing;

    #[test]
    fn get_returns_texts_until_they_are_removed() {
        let mut ring = TextRing::default();
        let mut texts = Vec::new();
        for number in 0..1000_usize {
            let text = "é".repeat(number % 7);
            let position = ring.end();
            ring.push(&text);
            texts.push((position, text));
            if number >= 10 {
                let (removed, _) = &texts[number - 10];
                ring.remove(texts[number - 10].1.len());
                let is_empty = texts[number - 10].1.is_empty();
                assert!(is_empty || ring.get(*removed, 1).is_empty());
            }
            for (position, text) in texts.iter().skip((number + 1).saturating_sub(10)) {
                assert_eq!(ring.get(*position, text.len() as u32), *text);
            }
        }
        assert!(!format!("{ring:?}").contains('é'));
    }
}
