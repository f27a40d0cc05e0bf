//! Output for people: plain text, with styles if the terminal supports them.

mod message;
mod printer;
mod rich;
pub(crate) mod sanitize;
mod show;
mod style;

pub(crate) use message::{long_message, quote, reactions};
pub(crate) use printer::{Printer, print_error};
pub(crate) use show::{Show, stage};
pub(crate) use style::{Paint, Style};
