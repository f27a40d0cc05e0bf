//! The output of results.

use std::io::{self, Write};

use serde::Serialize;

use super::{Paint, Show, Style, sanitize};

/// A printer of results, as text or as one JSON value per line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    json: bool,
    style: Style,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            style: Style::of_stdout(),
        }
    }

    /// Prints a result.
    pub(crate) fn print(&self, result: &(impl Serialize + Show)) -> io::Result<()> {
        self.print_as(result, || result.show(self.style))
    }

    /// Prints the items of a list.
    pub(crate) fn print_list<T: Serialize + Show>(&self, items: &[T]) -> io::Result<()> {
        if items.is_empty() && !self.json {
            let nothing = self.style.paint(Paint::Dim, "(none)");
            return writeln!(io::stdout(), "{nothing}");
        }
        items.iter().try_for_each(|item| self.print(item))
    }

    /// Reports a problem that does not end the command on standard error.
    pub(crate) fn notice(&self, text: &str) {
        let text = sanitize::line(text);
        if self.json {
            let notice = serde_json::json!({ "notice": text });
            print_error(&sanitize::json(&notice.to_string()));
        } else {
            print_error(&format!("talk: {text}"));
        }
    }

    /// Prints a result that has a separate text for people.
    pub(crate) fn print_as(
        &self,
        result: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if self.json {
            let json = match serde_json::to_string(result)?.as_str() {
                // Every line is an object.
                "null" => r#"{"absent":true}"#.to_owned(),
                json => json.to_owned(),
            };
            writeln!(output, "{}", sanitize::json(&json))?;
        } else {
            writeln!(output, "{}", text())?;
        }
        output.flush()
    }

    /// Prints a result only in JSON.
    pub(crate) fn print_json(&self, result: &impl Serialize) -> io::Result<()> {
        if self.json {
            self.print_as(result, String::new)?;
        }
        Ok(())
    }

    /// Returns the style of text.
    pub(crate) fn style(&self) -> Style {
        self.style
    }
}

/// Prints a line on standard error. Nothing can report that it cannot be written, and the command
/// goes on: the disk of a log may be full, or its reader gone.
pub(crate) fn print_error(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
