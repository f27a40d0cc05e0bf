//! Runs the checks of the source text: `xtask prose|cycles [--shrink] [--list]`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::{Ceilings, Workspace, cycles, prose};

const USAGE: &str = "usage: xtask prose|cycles [--shrink] [--list]

Compares the counts of the workspace with the ceilings in .ci/.
  --shrink  lowers the ceilings to the present counts
  --list    prints every finding, one a line";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Returns `true` if no count is above its ceiling.
fn run() -> Result<bool> {
    let mut arguments = std::env::args().skip(1);
    let check = arguments.next();
    let (mut shrink, mut list) = (false, false);
    for argument in arguments {
        match argument.as_str() {
            "--shrink" => shrink = true,
            "--list" => list = true,
            _ => bail!("unknown argument {argument}\n{USAGE}"),
        }
    }
    let workspace = Workspace::find()?;
    let (name, counts, findings) = match check.as_deref() {
        Some("prose") => {
            let findings = prose::find(&workspace)?;
            let counts = prose::count(&findings);
            let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
            ("prose", counts, lines)
        }
        Some("cycles") => {
            let cycles = cycles::find(&workspace)?;
            let counts = cycles::count(&cycles);
            let lines: Vec<_> = cycles.iter().map(ToString::to_string).collect();
            ("cycles", counts, lines)
        }
        _ => bail!("{USAGE}"),
    };
    if list {
        findings.iter().for_each(|line| println!("{line}"));
    }
    let mut ceilings = Ceilings::read(&workspace, name)?;
    let report = ceilings.compare(&counts);
    print!("{report}");
    if shrink {
        ceilings.shrink(&counts);
        ceilings.write()?;
        println!("{name}: ceilings lowered");
    }
    Ok(report.is_within())
}
