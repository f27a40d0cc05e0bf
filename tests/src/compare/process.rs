//! Resources of this process.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

/// Returns the processor time of this process: user and system time of all threads.
pub(super) fn processor_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::ProcessCPUTime).try_into()?)
}

/// Returns the largest resident memory of this process so far, in bytes.
pub(super) fn peak_memory() -> Result<u64> {
    status("VmHWM")
}

/// Returns the resident memory of this process, in bytes.
pub(super) fn resident_memory() -> Result<u64> {
    status("VmRSS")
}

/// Returns a size in the status of this process, in bytes.
fn status(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let sizes = status.lines().filter_map(|line| line.strip_prefix(name));
    let size = sizes.filter_map(|size| size.strip_prefix(':')).next();
    let size = size.and_then(|size| size.trim().strip_suffix("kB"));
    let kib: u64 = size.context("no size of the process")?.trim().parse()?;
    Ok(kib * 1024)
}

/// Creates a runtime that runs on the thread of its user.
pub(super) fn one_thread() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Raises the limit of open sockets to the maximum for this process.
pub(super) fn allow_sockets() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Restricts this thread, and the threads and processes that it starts, to one processor.
#[cfg(target_os = "linux")]
pub(super) fn stay_on_one_processor() -> Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None)?;
    let one = (0..CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu));
    let mut set = CpuSet::new();
    set.set(one.context("no processor")?);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn stay_on_one_processor() -> Result<()> {
    anyhow::bail!("a process cannot be kept on one processor here")
}
