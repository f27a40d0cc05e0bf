//! Text styles of a terminal.

use std::env;
use std::io::{self, IsTerminal};

/// A style for text, which may be disabled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    enabled: bool,
}

/// A style attribute, as a number of the ANSI sequence "select graphic rendition".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Bold = 1,
    Dim = 2,
    Italic = 3,
    Underline = 4,
    Strikethrough = 9,
    Green = 32,
    Yellow = 33,
    Magenta = 35,
    Cyan = 36,
}

impl Style {
    /// Returns the style for standard output. It is disabled if the output is not a terminal that
    /// supports styles, or if `NO_COLOR` is set (<https://no-color.org>).
    pub(crate) fn of_stdout() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Self {
            enabled: io::stdout().is_terminal() && !refused && !dumb,
        }
    }

    #[cfg(test)]
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    pub(crate) fn is_enabled(self) -> bool {
        self.enabled
    }

    /// Returns the text with this attribute. The caller must have removed control characters.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.enabled || text.is_empty() {
            return text.to_owned();
        }
        // Every attribute has its own end sequence, so that attributes can be nested.
        let off = match paint {
            Paint::Bold | Paint::Dim => 22,
            Paint::Italic => 23,
            Paint::Underline => 24,
            Paint::Strikethrough => 29,
            Paint::Green | Paint::Yellow | Paint::Magenta | Paint::Cyan => 39,
        };
        format!("\x1b[{}m{text}\x1b[{off}m", paint as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paint_without_style_is_plain() {
        assert_eq!(Style::new(false).paint(Paint::Bold, "a"), "a");
        assert_eq!(Style::new(true).paint(Paint::Bold, "a"), "\x1b[1ma\x1b[22m");
        assert_eq!(Style::new(true).paint(Paint::Cyan, ""), "");
    }
}
