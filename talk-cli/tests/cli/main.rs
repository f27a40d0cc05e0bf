//! The command line, as its users run it.

mod emulator;
mod support;
