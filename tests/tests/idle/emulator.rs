//! An emulator in a process of its own, so that what it keeps is not on our heap.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Ends with the value.
pub(crate) struct EmulatorProcess {
    child: Child,
    /// Where it listens: `127.0.0.1:PORT`.
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
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
