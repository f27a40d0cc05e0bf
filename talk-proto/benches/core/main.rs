//! The cost of the core in instructions. Each row is a ratio of two counts from the same run.
//!
//! ```sh
//! cargo bench -p talk-proto --bench core            # a table
//! cargo bench -p talk-proto --bench core -- --json
//! cargo bench -p talk-proto --bench core -- --quick  # the rows that are watched in CI
//! cargo bench -p talk-proto --bench core -- --rows A,P-many  # some rows
//! cargo bench -p talk-proto --bench core -- --growth # the points of a plot, as JSON
//! ```
//!
//! Requires `valgrind`. The exit code is 1 if a ratio exceeds its goal, or the ceiling of a goal
//! that is known as missed.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

mod callgrind;
mod durable;
mod durable_rows;
mod growth;
mod input;
mod list_rows;
mod lists;
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod work;

use std::env;
use std::process::ExitCode;

use self::support::table::{self, Selection};
use self::work::Work;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    let selection = Selection::parse(&arguments);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--work", name, frames, received] = arguments[..]
        && let (Some(work), Ok(frames), Ok(received)) =
            (Work::parse(name), frames.parse(), received.parse())
    {
        work.run(frames, received);
        return ExitCode::SUCCESS;
    }
    let known = ["--json", "--quick", "--growth", "--rows"];
    let mut previous = "";
    for argument in &arguments {
        if !known.contains(argument) && previous != "--rows" {
            eprintln!("{argument} is not known: {}", known.join(", "));
            return ExitCode::from(2);
        }
        previous = argument;
    }
    if arguments.contains(&"--growth") {
        return match growth::print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => fail(&problem),
        };
    }
    match rows::measure(&selection) {
        Ok(rows) => table::print(&rows, arguments.contains(&"--json")),
        Err(problem) => fail(&problem),
    }
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("{problem}");
    ExitCode::FAILURE
}
