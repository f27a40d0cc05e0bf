//! Processes that are killed together with all processes that they have started.

use std::io;
use std::ops::{Deref, DerefMut};

use tokio::process::{Child, Command};

/// A running process in a process group of its own, so that Ctrl-C in the terminal does not reach
/// it. Dropping it kills the group, unless the process has ended.
///
/// On Windows, only the process itself is killed.
pub(super) struct ProcessGroup(Child);

impl ProcessGroup {
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        command.process_group(0);
        command.kill_on_drop(true).spawn().map(Self)
    }
}

impl Deref for ProcessGroup {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for ProcessGroup {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for ProcessGroup {
    #[cfg(unix)]
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};

        // `id` is `None` after the end of the process was awaited, because another process may have
        // the same ID.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // Fails if all processes of the group have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn drop(&mut self) {}
}
