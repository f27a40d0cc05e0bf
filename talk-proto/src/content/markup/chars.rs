//! Character classes of JavaScript's regular expressions, and a forward search that reads no
//! character twice.

/// Returns `true` for the characters that `\s` matches.
pub(super) fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t'..='\r'
            | ' '
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
            | '\u{feff}'
    )
}

/// Returns `true` for the characters that `.` does not match.
pub(super) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// Returns `true` for the characters that `\w` matches.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

pub(super) fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// A search for the next character of a kind, for ascending positions. The result is cached, so
/// that each part of the text is searched once.
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

    /// Returns the position of the next such character at or after `from`, or the end of the text
    /// if there is none.
    pub(super) fn at(&mut self, from: usize) -> usize {
        if self.found < from {
            self.search(from);
        }
        self.found
    }

    fn search(&mut self, from: usize) {
        let rest = &self.text[from..];
        let length = rest.find(self.is_wanted).unwrap_or(rest.len());
        count_steps(length + 1);
        self.found = from + length;
    }
}

#[cfg(test)]
std::thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts the characters that the parser has read, so that a test can compare their number with the
/// length of the text. Does nothing outside of tests.
#[inline]
pub(super) fn count_steps(steps: usize) {
    #[cfg(test)]
    STEPS.with(|counter| counter.set(counter.get() + steps as u64));
    #[cfg(not(test))]
    let _ = steps;
}

/// Returns the number of steps that `run` takes.
#[cfg(test)]
pub(super) fn steps_of<T>(run: impl FnOnce() -> T) -> u64 {
    let before = STEPS.with(std::cell::Cell::get);
    run();
    STEPS.with(std::cell::Cell::get) - before
}
