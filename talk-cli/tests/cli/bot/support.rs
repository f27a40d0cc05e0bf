//! A bot, and a user that writes to it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use serde_json::{Value, json};
use talk_emulator::{Emulator, Seed};
use tempfile::TempDir;

use crate::support::{Rpc, talk};

/// A generous time limit, so that a failing wait does not hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// The user `bot`, the user `bob`, and a folder for the store and other files.
pub(super) struct Town {
    pub(super) emulator: Emulator,
    pub(super) folder: TempDir,
}

impl Town {
    /// Creates the conversations with these IDs.
    pub(super) fn new(conversations: &[&str]) -> Self {
        let mut seed = Seed::new("app").user("bot", "Bot").user("bob", "Bob");
        for id in conversations {
            seed = seed.conversation(*id, ["bot", "bob"]);
        }
        Self {
            emulator: Emulator::builder()
                .initial_data(seed)
                .start_blocking()
                .unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Returns the path of a file in the folder.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Starts a bot that handles all messages. `command` is a shell script.
    pub(super) fn bot(&self, args: &[&str], script: &str) -> Bot {
        let args = [&["--start", "beginning"], args].concat();
        Bot::start(&self.emulator, &args, &["sh", "-c", script])
    }

    pub(super) fn bob(&self) -> Rpc {
        Rpc::start(self.emulator.host(), "bob", &[])
    }

    /// Writes messages of Bob.
    pub(super) fn ask(&self, conversation: &str, texts: &[&str]) {
        let mut bob = self.bob();
        for text in texts {
            bob.result("conversation.send", json!([conversation, text]));
        }
    }

    /// Returns the texts of the bot in a conversation, oldest first.
    pub(super) fn answers(&self, conversation: &str) -> Vec<String> {
        let messages = block_on(self.emulator.messages("app", conversation)).unwrap();
        let of_bot = messages.iter().filter(|message| {
            let sender = message.sender_id.as_ref();
            sender.is_some_and(|sender| sender.as_str() == "bot")
        });
        of_bot.map(|message| message.plaintext()).collect()
    }

    /// Waits until the conversation has `count` messages.
    pub(super) fn wait_for_messages(&self, conversation: &str, count: usize) {
        let conversation = conversation.to_owned();
        let there = self
            .emulator
            .wait_for(move |server| server.messages("app", &conversation).len() >= count);
        block_on(async { there.await.unwrap() });
    }
}

/// A running `talk bot --json`.
pub(super) struct Bot {
    process: Child,
    lines: Receiver<Value>,
    notices: Receiver<String>,
}

impl Bot {
    pub(super) fn start(emulator: &Emulator, args: &[&str], command: &[&str]) -> Self {
        let session = ["--app", "app", "--user", "bot", "--host", emulator.host()];
        let mut process = talk()
            .args(session)
            .args(["bot", "--json"])
            .args(args)
            .arg("--")
            .args(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let json = |line: String| serde_json::from_str(&line).unwrap();
        Self {
            lines: lines(process.stdout.take().unwrap(), json),
            notices: lines(process.stderr.take().unwrap(), |line| line),
            process,
        }
    }

    /// Returns the next line of standard output.
    pub(super) fn line(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Waits for a line of standard error that contains `part`.
    pub(super) fn notice(&self, part: &str) -> String {
        loop {
            let line = self.notices.recv_timeout(PATIENCE).unwrap();
            if line.contains(part) {
                return line;
            }
        }
    }

    #[cfg(unix)]
    pub(super) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Kills the bot, and returns the rest of its standard error.
    pub(super) fn stop(mut self) -> String {
        self.process.kill().unwrap();
        self.exit().1
    }

    pub(super) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits for the end, and returns the exit code and the rest of standard error.
    pub(super) fn exit(&mut self) -> (Option<i32>, String) {
        let exit_code = self.process.wait().unwrap().code();
        let rest: Vec<_> = self.notices.iter().collect();
        (exit_code, rest.join("\n"))
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads lines on a thread.
fn lines<T: Send + 'static>(
    output: impl Read + Send + 'static,
    read: impl Fn(String) -> T + Send + 'static,
) -> Receiver<T> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if sender.send(read(line.unwrap())).is_err() {
                return;
            }
        }
    });
    lines
}
