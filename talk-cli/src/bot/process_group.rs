//! Processes that are killed together with all processes that they have started.

use std::io;
use std::ops::{Deref, DerefMut};

use tokio::process::{Child, Command};

/// A running process in a process group of its own, so that Ctrl-C in the terminal does not reach
/// it. Dropping it kills the group.
///
/// On Windows, only the process itself is killed.
pub(super) struct ProcessGroup {
    process: Child,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl ProcessGroup {
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        command.process_group(0);
        let process = command.kill_on_drop(true).spawn()?;
        Ok(Self {
            #[cfg(unix)]
            group: process
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(rustix::process::Pid::from_raw),
            process,
        })
    }

    /// Leaves the other processes of the group running. Called after the end of the process.
    pub(super) fn release(mut self) {
        #[cfg(unix)]
        {
            self.group = None;
        }
    }
}

impl Deref for ProcessGroup {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.process
    }
}

impl DerefMut for ProcessGroup {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.process
    }
}

#[cfg(unix)]
impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // No other group can have this ID while a process of this one runs. Fails if all processes
        // of the group have ended.
        if let Some(group) = self.group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
