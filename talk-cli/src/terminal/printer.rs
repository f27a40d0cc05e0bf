//! Where results go.

use std::io::{self, Write};

use serde::Serialize;

use super::{Show, Style, sanitize};

/// Prints results for people, or as one JSON value a line.
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

    /// Prints a result that people see in other words.
    pub(crate) fn print_as(
        &self,
        result: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if self.json {
            let json = serde_json::to_string(result)?;
            writeln!(output, "{}", sanitize::json(&json))?;
        } else {
            writeln!(output, "{}", text())?;
        }
        output.flush()
    }

    /// Prints what is nothing to people.
    pub(crate) fn print_json(&self, result: &impl Serialize) -> io::Result<()> {
        if self.json {
            self.print_as(result, String::new)?;
        }
        Ok(())
    }

    /// How text may be styled.
    pub(crate) fn style(&self) -> Style {
        self.style
    }
}
