use std::process::Output;

use serde_json::Value;
use talk_emulator::Emulator;

use crate::support::talk;

/// Users of the command with a common emulator.
pub(crate) struct People {
    pub(crate) emulator: Emulator,
}

impl People {
    /// Creates Alice and Bob in the conversation `c1`.
    pub(crate) fn new() -> Self {
        let emulator = Emulator::start_blocking().unwrap();
        let people = Self { emulator };
        people.succeeds("alice", &["user", "set", "alice", "--name", "Alice"]);
        people.succeeds("bob", &["user", "create", "bob", "--name", "Bob"]);
        people.succeeds(
            "alice",
            &["conversation", "create", "c1", "--subject", "Tea"],
        );
        people.succeeds("alice", &["participant", "add", "c1", "bob"]);
        people
    }

    pub(crate) fn command(&self, user: &str, args: &[&str]) -> std::process::Command {
        let mut command = talk();
        command
            .env("TALK_APP", "app")
            .env("TALK_USER", user)
            .env("TALK_HOST", self.emulator.host())
            .args(args);
        command
    }

    pub(crate) fn run(&self, user: &str, args: &[&str]) -> Output {
        self.command(user, args).output().unwrap()
    }

    pub(crate) fn succeeds(&self, user: &str, args: &[&str]) -> String {
        let output = self.run(user, args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    pub(crate) fn json(&self, user: &str, args: &[&str]) -> Value {
        let output = self.succeeds(user, &[args, &["--json"]].concat());
        serde_json::from_str(&output).unwrap()
    }

    pub(crate) fn fails(&self, user: &str, args: &[&str]) -> String {
        let output = self.run(user, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}
