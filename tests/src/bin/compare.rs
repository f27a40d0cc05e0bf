//! Measures Talk side by side with simpler programs, and prints a table of ratios.
//!
//! ```sh
//! cargo run --release -p talk-tests --bin compare            # a Markdown table
//! cargo run --release -p talk-tests --bin compare -- --json
//! cargo run --release -p talk-tests --bin compare -- --rows D,F
//! ```
//!
//! The exit code is 1 if a goal is missed. `BENCHMARKS.md` explains the limits of each row.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use talk_tests::compare::{self, Options, Role};

#[derive(Debug, Parser)]
struct Args {
    /// Measure only these rows: IDs such as P-many, or letters of A to P for all of their rows
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Measure the published client under Node in addition to row D
    #[arg(long)]
    node: bool,
    /// Measure builds from scratch for row J, which takes minutes
    #[arg(long)]
    build: bool,
    /// Measure the core with shorter lists, and without reconnects
    #[arg(long)]
    quick: bool,
    /// Leave out the rows of the core's benchmarks, which take minutes
    #[arg(long)]
    no_core: bool,
    /// Draw the cost of events and the memory of sessions as SVG files in this folder, and measure
    /// no rows
    #[arg(long, value_name = "FOLDER", exclusive = true)]
    plot: Option<PathBuf>,
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
        quick: args.quick,
        no_core: args.no_core,
        plot: args.plot,
    })
}
