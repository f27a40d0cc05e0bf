//! Counts the instructions of a piece of work in a separate process.

use std::env;
use std::process::{Command, Stdio};

use crate::work::Work;

/// Returns the number of instructions per frame of `work`. It is the difference between runs of `2
/// * frames` and of `frames` frames, so that the preparation is not counted.
pub(crate) fn per_frame(work: Work, frames: u64) -> Result<f64, String> {
    let once = instructions(work, frames, frames)?;
    let twice = instructions(work, frames, 2 * frames)?;
    Ok((twice - once) / frames as f64)
}

fn instructions(work: Work, frames: u64, received: u64) -> Result<f64, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .arg("--work")
        .args([work.name(), frames.to_string(), received.to_string()])
        .stdin(Stdio::null())
        .output();
    let run = run.map_err(|error| format!("valgrind, which counts instructions: {error}"))?;
    let report = String::from_utf8_lossy(&run.stderr);
    let count = report.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected : ")?;
        count.trim().parse().ok()
    });
    count
        .filter(|_| run.status.success())
        .ok_or_else(|| format!("valgrind counted nothing in {work:?}:\n{report}"))
}
