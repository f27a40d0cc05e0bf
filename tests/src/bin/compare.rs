//! Measures Talk beside what else one would take, and prints one table of ratios.
//!
//! ```sh
//! cargo run --release -p talk-tests --bin compare            # a table, in Markdown
//! cargo run --release -p talk-tests --bin compare -- --json
//! cargo run --release -p talk-tests --bin compare -- --rows D,F
//! ```
//!
//! The exit code is 1 when a goal is missed. What bounds each row is told in `BENCHMARKS.md`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use talk_tests::compare::{self, Options, Role};

#[derive(Debug, Parser)]
struct Args {
    /// Only these rows, of A to J
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Measure the published client under Node beside row D
    #[arg(long)]
    node: bool,
    /// Measure for row J how long building from nothing takes: minutes
    #[arg(long)]
    build: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if let Some(role) = args.role {
        return compare::play(role).map(|()| ExitCode::SUCCESS);
    }
    compare::run(&Options {
        rows: args.rows,
        json: args.json,
        node: args.node,
        build: args.build,
    })
}
