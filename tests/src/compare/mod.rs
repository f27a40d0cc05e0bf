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
mod options;
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

use std::process::ExitCode;

use anyhow::Result;
use tokio::runtime::Builder;

pub use self::options::Options;
use self::options::ROWS;
use self::process::one_thread;
pub use self::role::Role;
use self::row::Row;
use self::table::Table;

/// The rows of [`outbox`].
const OUTBOX_ROWS: [&str; 4] = ["O-stored", "O-sent", "O-sent-one", "O-sent-memory"];

/// The rows of [`sending`].
const SENDING_ROWS: [&str; 2] = ["O-memory", "O-file"];

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
    if !options.no_core {
        rows.extend(core_rows::measure(options)?);
    }
    if options.wants_any('D') {
        rows.extend(one_thread()?.block_on(events::measure(options.node))?);
    }
    if options.wants_any('F') {
        rows.extend(round_trip::measure()?);
    }
    if options.wants_any('G') {
        rows.extend(one_thread()?.block_on(many::measure())?);
    }
    if options.wants_any('H') {
        rows.extend(one_thread()?.block_on(fan_out::measure())?);
    }
    if options.wants_any('J') {
        rows.extend(one_thread()?.block_on(start::measure(options.build))?);
    }
    if OUTBOX_ROWS.iter().any(|row| options.wants(row)) {
        rows.extend(one_thread()?.block_on(outbox::measure())?);
    }
    if SENDING_ROWS.iter().any(|row| options.wants(row)) {
        rows.extend(one_thread()?.block_on(sending::measure())?);
    }
    if options.wants("P") {
        rows.extend(one_thread()?.block_on(deliveries::measure())?);
    }
    Ok(rows)
}
