//! The command on every runtime.

use serde_json::json;
use talk_emulator::Emulator;

use crate::support::{Rpc, talk};

const RUNTIMES: [&str; 3] = ["tokio", "async-std", "smol"];

#[test]
fn command_runs_on_every_runtime() {
    let emulator = Emulator::start_blocking().unwrap();
    for runtime in RUNTIMES {
        let run = |args: &[&str]| {
            let mut command = talk();
            command.args(["--app", "app", "--user", "alice", "--runtime", runtime]);
            let output = command
                .args(["--host", emulator.host()])
                .args(args)
                .output();
            let output = output.unwrap();
            assert!(output.status.success(), "{runtime}, {args:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["user", "set", "alice", "--name", "Alice"]);
        run(&["conversation", "create", runtime]);
        run(&["send", runtime, "Hello!"]);
        assert_eq!(run(&["messages", runtime, "--once"]), "Alice  Hello!\n");
    }
}

#[test]
fn rpc_runs_on_every_runtime() {
    let emulator = Emulator::start_blocking().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    for runtime in RUNTIMES {
        let options = ["--runtime", runtime, "--token-command", "echo token"];
        let mut rpc = Rpc::start(emulator.host(), "alice", &options);
        rpc.result("user.set", json!(["alice", {"name": "Alice"}]));
        rpc.result("conversation.createIfNotExists", json!([runtime]));
        let messages = rpc.subscribe("conversation.subscribeMessages", json!([runtime]));
        rpc.wait("subscription", messages.clone());
        let token = rpc.result(
            "session.uploadFile",
            json!([file.path(), {"filename": "f"}]),
        );
        let block = json!({"type": "file", "fileToken": token});
        rpc.result("conversation.send", json!([runtime, {"content": [block]}]));
        let shown = rpc.wait("subscription", messages);
        assert_eq!(shown["snapshot"][0]["content"][0]["filename"], "f");
        rpc.end_input();
        assert_eq!(rpc.exit().1, Some(0), "{runtime}");
    }
}
