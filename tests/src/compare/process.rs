//! Resources of this process.

use std::time::Duration;

use anyhow::Result;
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Returns the processor time of this process: user and system time of all threads.
pub(super) fn processor_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::ProcessCPUTime).try_into()?)
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
    use anyhow::Context;
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
