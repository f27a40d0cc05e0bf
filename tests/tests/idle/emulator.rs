//! An emulator in a child process, so that its memory is not part of the measured heap.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// An emulator in a process that is killed on drop.
pub(crate) struct EmulatorProcess {
    child: Child,
    /// The emulator's address: `127.0.0.1:PORT`.
    pub(crate) host: String,
}

impl EmulatorProcess {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sessions"))
            .args(["server", "--port", "0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut host = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut host).unwrap();
        Self {
            child,
            host: host.trim().to_owned(),
        }
    }
}

impl Drop for EmulatorProcess {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
