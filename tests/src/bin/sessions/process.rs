//! Memory and limits of this process.

use std::fs;

use anyhow::{Context, Result, ensure};

/// Open files in addition to the sessions' sockets: short HTTP connections, and the process's own
/// files.
const SPARE_FILES: usize = 500;

/// Returns the resident memory of this process.
pub(crate) fn resident_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes
        .context("no VmRSS in /proc/self/status")?
        .parse()?;
    Ok(kilobytes * 1024)
}

/// Fails if this process may not open this many sockets.
pub(crate) fn check_open_files(sockets: usize) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    let soft = soft.context("no open files in /proc/self/limits")?;
    let limit = soft.parse().unwrap_or(usize::MAX);
    let needed = sockets + SPARE_FILES;
    ensure!(
        limit >= needed,
        "{needed} open files are needed and {limit} allowed: run `ulimit -n {needed}` first"
    );
    Ok(())
}
