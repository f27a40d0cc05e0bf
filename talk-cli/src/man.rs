//! `talk completions` and `talk man`: files for shells and for `man`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Outcome;

/// The arguments of `talk completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsOptions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The arguments of `talk man`.
#[derive(Debug, clap::Args)]
pub(crate) struct ManOptions {
    /// Write the pages of all commands to this folder, instead of the first page to standard
    /// output. An absent folder is created
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub(crate) fn print_completions(options: &CompletionsOptions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "talk", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints or writes manual pages.
pub(crate) fn print_pages(options: &ManOptions) -> Outcome {
    match &options.dir {
        Some(folder) => {
            let unusable = |error: io::Error| {
                let reason = format!("{}: {error}", folder.display());
                io::Error::new(error.kind(), reason)
            };
            fs::create_dir_all(folder).map_err(unusable)?;
            clap_mangen::generate_to(Cli::command(), folder).map_err(unusable)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            io::stdout().write_all(&page)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
