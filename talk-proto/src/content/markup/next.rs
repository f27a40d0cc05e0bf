//! Looking ahead without looking twice.

use super::work;

/// Finds the next character of a kind, for positions that only grow. A stretch of text without one
/// is looked at once, however often it is asked about.
pub(super) struct Next<'a> {
    text: &'a str,
    is_wanted: fn(char) -> bool,
    found: usize,
}

impl<'a> Next<'a> {
    pub(super) fn new(text: &'a str, is_wanted: fn(char) -> bool) -> Self {
        let mut next = Self {
            text,
            is_wanted,
            found: 0,
        };
        next.search(0);
        next
    }

    /// The place of the first such character at `from` or after it; the text's end if there is none.
    pub(super) fn at(&mut self, from: usize) -> usize {
        if self.found < from {
            self.search(from);
        }
        self.found
    }

    fn search(&mut self, from: usize) {
        let rest = &self.text[from..];
        let length = rest.find(self.is_wanted).unwrap_or(rest.len());
        work::count(length + 1);
        self.found = from + length;
    }
}
