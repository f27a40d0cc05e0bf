//! What Talk costs, as ratios of what was measured side by side in one run.
//!
//! Every speed belongs to a pair that was measured one right after the other, several times in
//! turns, and the median of the pairs' ratios counts: a machine that is busy with other things
//! slows both down.

mod bare_fan_out;
mod bot;
mod cargo;
mod core_rows;
mod events;
mod fan_out;
mod frames;
mod many;
mod process;
mod role;
mod round_trip;
mod rounds;
mod row;
mod scripted;
mod start;
mod table;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use tokio::runtime::{Builder, Runtime};

pub use self::role::Role;
use self::row::Row;
use self::table::Table;

/// What to measure, and how to show it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The letters of the rows; all if there are none.
    pub rows: Vec<String>,
    /// Print JSON instead of a table.
    pub json: bool,
    /// Measure the published client under Node beside row D.
    pub node: bool,
    /// Measure for row J how long building takes from nothing, which takes minutes.
    pub build: bool,
}

/// All rows, in the order in which they are shown.
const ROWS: &str = "ABCDEFGHIJ";

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

/// Measures and prints; the exit code tells whether all goals are met.
///
/// # Errors
///
/// When something cannot be measured.
pub fn run(options: &Options) -> Result<ExitCode> {
    options.check()?;
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

/// Plays a role of a process that this program has started of itself.
///
/// # Errors
///
/// When it cannot be played.
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
        rows.extend(core_rows::measure()?);
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
    Ok(rows)
}

fn one_thread() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
