//! Ratios between Talk and simpler programs, measured side by side in one run.
//!
//! Every speed is part of a pair. Both sides of a pair are measured directly one after the other,
//! so that a busy machine slows both down. A row is the median ratio of several pairs.

mod bare_fan_out;
mod bot;
mod cargo;
mod core_rows;
mod deliveries;
mod events;
mod fan_out;
mod frames;
mod many;
mod outbox;
mod plot;
mod process;
mod role;
mod round_trip;
mod rounds;
mod row;
mod scripted;
mod sending;
mod server;
mod start;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use tokio::runtime::Builder;

use self::process::one_thread;
pub use self::role::Role;
use self::row::Row;
use self::table::Table;

/// The rows to measure, and the output format.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The letters of the rows. If empty, all rows are measured.
    pub rows: Vec<String>,
    /// Set to print JSON instead of a table.
    pub json: bool,
    /// Set to measure the published client in addition to row D.
    pub node: bool,
    /// Set to measure builds from scratch for row J, which takes minutes.
    pub build: bool,
    /// Set to measure the core with shorter lists, and without reconnects.
    pub quick: bool,
    /// Set to draw plots in this folder instead of measuring rows.
    pub plot: Option<PathBuf>,
}

/// The letters of all rows, in the order of the table.
const ROWS: &str = "ABCDEFGHIJKLMNOP";

impl Options {
    fn wants(&self, id: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|row| id.starts_with(row.as_str()))
    }

    fn check(&self) -> Result<()> {
        for row in &self.rows {
            let known = row.len() == 1 && ROWS.contains(row.as_str());
            ensure!(known, "there is no row {row:?}, only {ROWS}");
        }
        Ok(())
    }
}

/// Measures and prints the rows. Returns a failure as exit code if a goal is missed.
///
/// # Errors
///
/// If a row is unknown or cannot be measured.
pub fn run(options: &Options) -> Result<ExitCode> {
    options.check()?;
    if let Some(folder) = &options.plot {
        plot::draw(folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table {
        rows: measure(options)?,
    };
    table.rows.retain(|row| options.wants(&row.id));
    table
        .rows
        .sort_by_key(|row| row.id.chars().next().and_then(|letter| ROWS.find(letter)));
    if options.json {
        println!("{}", serde_json::to_string(&table)?);
    } else {
        println!("{table}");
    }
    Ok(table.exit_code())
}

/// Runs as a child process in the given role.
///
/// # Errors
///
/// If the role fails.
pub fn play(role: Role) -> Result<()> {
    process::allow_sockets()?;
    Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(role.play())
}

fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if core_rows::ROWS.iter().any(|row| options.wants(row)) {
        rows.extend(core_rows::measure(options.quick)?);
    }
    if options.wants("D") {
        rows.extend(one_thread()?.block_on(events::measure(options.node))?);
    }
    if options.wants("F") {
        rows.extend(round_trip::measure()?);
    }
    if options.wants("G") {
        rows.extend(one_thread()?.block_on(many::measure())?);
    }
    if options.wants("H") {
        rows.extend(one_thread()?.block_on(fan_out::measure())?);
    }
    if options.wants("J") {
        rows.extend(one_thread()?.block_on(start::measure(options.build))?);
    }
    if options.wants("O") {
        rows.extend(one_thread()?.block_on(outbox::measure())?);
        rows.extend(one_thread()?.block_on(sending::measure())?);
    }
    if options.wants("P") {
        rows.extend(one_thread()?.block_on(deliveries::measure())?);
    }
    Ok(rows)
}
