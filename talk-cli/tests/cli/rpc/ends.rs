use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::json;
use talk_emulator::Emulator;
use talk_emulator::server::Settings;

use crate::peer::Peer;
use crate::support::Rpc;

#[test]
fn rpc_end_of_input_waits_for_calls() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.send(1, "user.set", json!(["alice", {"name": "Alice"}]));
    rpc.send(2, "user.set", json!(["alice", {"photoUrl": "https://p"}]));
    rpc.end_input();
    let (lines, exit_code) = rpc.exit();
    assert_eq!(exit_code, Some(0));
    for id in [1, 2] {
        assert!(lines.contains(&json!({"id": id, "result": null})));
    }
}

#[test]
fn rpc_drain_timeout_fails_as_transport() {
    let peer = Peer::start(|_, _| None);
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    for host in [&peer.host, &nobody] {
        let more = ["--token", "t", "--drain-timeout", "0.2"];
        let mut rpc = Rpc::start(host, "alice", &more);
        rpc.send(1, "conversation.markAsRead", json!(["c1"]));
        rpc.send(2, "user.subscribe", json!(["bob"]));
        rpc.wait("id", 2);
        rpc.end_input();
        let (lines, exit_code) = rpc.exit();
        assert_eq!(exit_code, Some(0));
        let answer = lines.iter().find(|line| line["id"] == 1).unwrap();
        assert_eq!(answer["error"]["kind"], "transport");
        let ended = json!({"subscription": 1, "ended": "unsubscribed"});
        assert!(lines.contains(&ended), "{lines:?}");
    }
}

#[test]
fn rpc_session_end_answers_all_and_exits() {
    let mut settings = Settings::default();
    settings.refused_apps.insert("app".to_owned());
    let builder = Emulator::builder().settings(settings);
    let emulator = builder.start_blocking().unwrap();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.send(1, "conversation.subscribeMessages", json!(["c1"]));
    rpc.send(2, "conversation.send", json!(["c1", "hi"]));
    // The command ends although the input is open.
    let (lines, exit_code) = rpc.exit();
    assert_eq!(exit_code, Some(1));
    let answer = lines.iter().find(|line| line["id"] == 2).unwrap();
    assert_eq!(answer["error"]["kind"], "session");
    let subscriptions = lines.iter().filter(|line| line["subscription"] == 1);
    let ends: Vec<_> = subscriptions.collect();
    assert_eq!(ends.len(), 1, "{lines:?}");
    assert_eq!(ends[0]["ended"], "error");
    assert_eq!(ends[0]["error"]["kind"], "session");
    let ends: Vec<_> = lines
        .iter()
        .filter(|line| line["session"] == "error")
        .collect();
    assert_eq!(ends.len(), 1, "{lines:?}");
    assert_eq!(ends[0]["error"]["kind"], "session");
}

#[test]
fn rpc_closed_output_ends_process() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut process = rpc_command(emulator.host()).spawn().unwrap();
    drop(process.stdout.take());
    let input = process.stdin.as_mut().unwrap();
    std::io::Write::write_all(input, b"{}\n").unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn rpc_closed_output_while_idle_ends_process() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut process = rpc_command(emulator.host()).spawn().unwrap();
    let input = process.stdin.take().unwrap();
    drop(process.stdout.take());
    assert_eq!(process.wait().unwrap().code(), Some(0));
    drop(input);
}

#[cfg(target_os = "linux")]
#[test]
fn rpc_unwritable_output_is_a_failure() {
    let emulator = Emulator::start_blocking().unwrap();
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut process = rpc_command(emulator.host())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut process.stdin.take().unwrap(), b"{}\n").unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("the output cannot be written"),
        "{message}"
    );
}

#[test]
fn rpc_drain_limit_counts_from_last_answer() {
    // Each answer takes a quarter of the limit, so that all of them together exceed it.
    let peer = Peer::start(|_, _| {
        std::thread::sleep(std::time::Duration::from_millis(500));
        Some(json!(null))
    });
    let more = ["--token", "t", "--drain-timeout", "2"];
    let mut rpc = Rpc::start(&peer.host, "alice", &more);
    for id in 0..6 {
        rpc.send(id, "conversation.markAsRead", json!([format!("c{id}")]));
    }
    rpc.end_input();
    let (lines, exit_code) = rpc.exit();
    assert_eq!(exit_code, Some(0));
    for id in 0..6 {
        assert!(
            lines.contains(&json!({"id": id, "result": null})),
            "{lines:?}"
        );
    }
}

#[test]
fn rpc_end_of_input_is_noticed_at_the_limit_of_calls() {
    let peer = Peer::start(|_, _| None);
    let more = ["--token", "t", "--drain-timeout", "0.5"];
    let mut rpc = Rpc::start(&peer.host, "alice", &more);
    let line = json!({"id": 1, "call": "user.get", "args": ["bob"]});
    rpc.write(&format!("{line}\n").repeat(10_000));
    rpc.end_input();
    let (lines, exit_code) = rpc.exit();
    assert_eq!(exit_code, Some(0));
    let failed = |line: &&serde_json::Value| line.get("error").is_some();
    assert_eq!(lines.iter().filter(failed).count(), 10_000);
}

fn rpc_command(host: &str) -> Command {
    let mut command = crate::support::talk();
    command
        .args(["--app", "app", "--user", "u", "--host", host, "rpc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

#[test]
fn rpc_thousand_piped_sends_all_arrive() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("user.set", json!(["alice", {"name": "Alice"}]));
    rpc.result("conversation.createIfNotExists", json!(["c1"]));
    for id in 0..1_000 {
        rpc.send(
            id,
            "conversation.send",
            json!(["c1", format!("message {id}")]),
        );
    }
    rpc.end_input();
    let (lines, exit_code) = rpc.exit();
    assert_eq!(exit_code, Some(0));
    let sent = |line: &&serde_json::Value| line["result"]["messageRef"].is_string();
    assert_eq!(lines.iter().filter(sent).count(), 1_000);
}
