//! Running the real binary.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The binary, without anything that the environment would add to its command line.
pub(crate) fn talk() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_talk"));
    for name in ["APP", "USER", "HOST", "TOKEN", "SECRET"] {
        command.env_remove(format!("TALK_{name}"));
    }
    command.stdin(Stdio::null());
    command
}

/// `talk emulator` on a free port; it is stopped when this is dropped.
pub(crate) struct Emulator {
    pub(crate) process: Child,
    pub(crate) output: BufReader<ChildStdout>,
    /// What `--host` takes.
    pub(crate) host: String,
}

impl Emulator {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut process = talk()
            .args(["emulator", "--port", "0"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let host = line
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("the first line is {line:?}"))
            .trim_end()
            .to_owned();
        Self {
            process,
            output,
            host,
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
