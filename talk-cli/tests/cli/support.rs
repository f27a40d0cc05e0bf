//! Helpers that run the real binary.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Returns a command that runs the binary, without the `TALK_` variables of the environment.
pub(crate) fn talk() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_talk"));
    for name in ["APP", "USER", "HOST", "TOKEN", "SECRET"] {
        command.env_remove(format!("TALK_{name}"));
    }
    command.stdin(Stdio::null());
    command
}

/// A `talk emulator` on a free port. It is stopped on drop.
pub(crate) struct Emulator {
    pub(crate) process: Child,
    pub(crate) output: BufReader<ChildStdout>,
    /// The value for `--host`.
    pub(crate) host: String,
}

impl Emulator {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_on("0", options)
    }

    pub(crate) fn start_on(port: &str, options: &[&str]) -> Self {
        Self::start_command(talk().args(["emulator", "--port", port]).args(options))
    }

    /// Starts a command that runs an emulator.
    pub(crate) fn start_command(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
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

/// A running `talk rpc`.
pub(crate) struct Rpc {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
}

/// A generous time limit, so that a failing wait does not hang.
const PATIENCE: Duration = Duration::from_secs(20);

impl Rpc {
    /// Starts `talk rpc` as `user` of the app `app`, with the arguments `more`.
    pub(crate) fn start(host: &str, user: &str, more: &[&str]) -> Self {
        let mut process = talk()
            .args(["--app", "app", "--user", user, "--host", host, "rpc"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            input: process.stdin.take(),
            process,
            lines,
        }
    }

    /// Writes text verbatim.
    pub(crate) fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// Writes a line without waiting for its answer.
    pub(crate) fn send(&mut self, id: impl Into<Value>, call: &str, args: Value) {
        let line = json!({"id": id.into(), "call": call, "args": args});
        self.write(&format!("{line}\n"));
    }

    /// Returns the next line that satisfies `fits`. Other lines are dropped.
    pub(crate) fn wait_for(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if fits(&line) {
                return line;
            }
        }
    }

    /// Returns the next line whose `member` is `value`.
    pub(crate) fn wait(&mut self, member: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        self.wait_for(|line| line.get(member) == Some(&value))
    }

    /// Makes a call and returns the line of its answer.
    pub(crate) fn call(&mut self, call: &str, args: Value) -> Value {
        self.send(call, call, args);
        self.wait("id", call)
    }

    /// Makes a call and returns its result.
    pub(crate) fn result(&mut self, call: &str, args: Value) -> Value {
        let answer = self.call(call, args);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Subscribes and returns the number of the subscription.
    pub(crate) fn subscribe(&mut self, call: &str, args: Value) -> Value {
        let number = self.result(call, args)["subscription"].clone();
        assert!(number.is_u64(), "{number}");
        number
    }

    /// Ends the input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Returns the lines until the end of output, and the exit code. Does not close the input.
    pub(crate) fn exit(&mut self) -> (Vec<Value>, Option<i32>) {
        let mut rest = Vec::new();
        // Lines about the connection may arrive as long as the process runs.
        let end = Instant::now() + 3 * PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the output does not end"),
            }
        }
        (rest, self.process.wait().unwrap().code())
    }
}

impl Drop for Rpc {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
