//! What the core costs, in instructions, as ratios of counts that are made in one run.
//!
//! ```sh
//! cargo bench -p talk-proto --bench core            # a table
//! cargo bench -p talk-proto --bench core -- --json
//! cargo bench -p talk-proto --bench core -- --quick  # the rows that are watched in CI
//! ```
//!
//! It takes `valgrind`. The exit code is 1 when a goal is missed.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

mod callgrind;
mod input;
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod work;

use std::env;
use std::process::ExitCode;

use self::work::Work;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--work", name, frames, heard] = arguments[..]
        && let (Some(work), Ok(frames), Ok(heard)) =
            (Work::parse(name), frames.parse(), heard.parse())
    {
        work.run(frames, heard);
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = arguments
        .iter()
        .find(|a| !["--json", "--quick"].contains(a))
    {
        eprintln!("{unknown} is not known: --json, --quick");
        return ExitCode::from(2);
    }
    match rows::measure(arguments.contains(&"--quick")) {
        Ok(rows) => support::table::print(&rows, arguments.contains(&"--json")),
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
