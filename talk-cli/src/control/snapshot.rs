use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::connection::{Control, ControlArgs, parse};
use crate::exit::{CliError, Outcome};
use crate::output_args::Common;
use crate::session_args::SessionArgs;
use crate::terminal::{Printer, sanitize};

/// The arguments of `talk snapshot`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    control: ControlArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Save all data of the emulator in its memory, under a name
    Save(Name),
    /// Replace all data by a snapshot; connections are closed
    Restore(Name),
    /// Replace all data by the initial data of the emulator; connections are closed
    Reset,
    /// List the snapshots
    List,
    /// Delete a snapshot
    Delete(Name),
    /// Write a snapshot into a file. It has the contents of uploaded files, up to 64 MiB, and no
    /// settings
    Export {
        #[command(flatten)]
        target: NameAndFile,
        /// Leave out the contents of uploaded files
        #[arg(long)]
        no_files: bool,
    },
    /// Read a snapshot from a file, for restore
    Import(NameAndFile),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// The name of the snapshot
    name: String,
}

#[derive(Debug, clap::Args)]
struct NameAndFile {
    /// The name of the snapshot
    name: String,
    /// The file; - is standard input or output
    file: PathBuf,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Item>,
}

#[derive(Deserialize, Serialize)]
struct Item {
    name: String,
    records: u64,
}

/// Saves, restores and lists snapshots of a running emulator.
pub(crate) fn run_snapshot(options: Options, session: &SessionArgs, common: Common) -> Outcome {
    let control = Control::new(options.control, session, common)?;
    match options.action {
        Action::Save(it) => control.post(&format!("{}/save", path(&it.name)), &json!({})),
        Action::Restore(it) => control.post(&format!("{}/restore", path(&it.name)), &json!({})),
        Action::Reset => control.post("/reset", &json!({})),
        Action::Delete(it) => control.request(Method::DELETE, &path(&it.name), Bytes::new()),
        Action::List => return list(&control, common),
        Action::Export { target, no_files } => {
            let query = if no_files { "?files=false" } else { "" };
            let snapshot = control.get(&format!("{}{query}", path(&target.name)))?;
            write(&target.file, &snapshot)?;
            return Ok(ExitCode::SUCCESS);
        }
        Action::Import(it) => {
            let snapshot = read(&it.file)?;
            control.request(Method::PUT, &path(&it.name), snapshot.into())
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn list(control: &Control, common: Common) -> Outcome {
    let answer = control.get("/snapshots")?;
    let List { data } = parse(&answer)?;
    let printer = Printer::new(common.json);
    for item in data {
        let text = || format!("{}  {} records", sanitize::line(&item.name), item.records);
        printer.print_as(&item, text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn path(name: &str) -> String {
    format!("/snapshots/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    if file == Path::new("-") {
        let mut snapshot = Vec::new();
        io::stdin().read_to_end(&mut snapshot)?;
        return Ok(snapshot);
    }
    fs::read(file).map_err(|error| unusable(file, &error))
}

fn write(file: &Path, snapshot: &[u8]) -> Result<(), CliError> {
    if file == Path::new("-") {
        return Ok(io::stdout().write_all(snapshot)?);
    }
    fs::write(file, snapshot).map_err(|error| unusable(file, &error))
}

fn unusable(file: &Path, error: &io::Error) -> CliError {
    CliError::Usage(format!("{}: {error}", file.display()))
}
