//! What people see: plain text, with styles where the terminal has them.

mod message;
mod printer;
mod rich;
pub(crate) mod sanitize;
mod show;
mod style;

pub(crate) use message::{long_message, quote, reactions};
pub(crate) use printer::Printer;
pub(crate) use show::Show;
pub(crate) use style::{Paint, Style};
