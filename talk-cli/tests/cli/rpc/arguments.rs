use std::fs;

use serde_json::{Value, json};

use crate::peer::Peer;
use crate::support::{Rpc, talk};

fn stderr_of_bad(args: &[&str]) -> String {
    let output = talk().args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn rpc_bad_arguments_exit_2_with_reason() {
    for (args, why) in [
        (&["rpc", "--user", "u"][..], "--app"),
        (&["rpc", "--app", "a"], "--user"),
        (&["rpc", "--app", "a", "--user", ""], "user ID"),
        (
            &["--app", "a", "--user", "u", "--host", "http://h", "rpc"],
            "--host",
        ),
        (
            &["--app", "a", "--user", "u", "--runtime", "turtle", "rpc"],
            "turtle",
        ),
        (
            &["--app", "a", "--user", "u", "rpc", "--drain-timeout=-1"],
            "drain-timeout",
        ),
        (&["--app", "a", "--user", "u", "rpc", "extra"], "extra"),
        (
            &[
                "--app",
                "a",
                "--user",
                "u",
                "rpc",
                "--token",
                "t",
                "--signature",
                "s",
            ],
            "--token",
        ),
    ] {
        let message = stderr_of_bad(args);
        assert!(message.contains(why), "{args:?}: {message}");
    }
}

#[test]
fn rpc_session_flags_precede_or_follow() {
    let peer = Peer::start(|_, _| Some(json!({})));
    for args in [
        [
            "--app", "a", "--user", "u", "--token", "t", "--host", &peer.host, "rpc",
        ],
        [
            "rpc", "--app", "a", "--user", "u", "--token", "t", "--host", &peer.host,
        ],
        [
            "--app", "a", "--token", "t", "rpc", "--user", "u", "--host", &peer.host,
        ],
    ] {
        let output = talk().args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

fn tokens(peer: &Peer) -> Vec<Value> {
    let renewals = peer.requests().into_iter();
    renewals
        .filter(|request| request[1] == "/session/renew")
        .map(|request| request[2]["token"].clone())
        .collect()
}

#[test]
fn rpc_given_token_is_used() {
    let peer = Peer::start(|_, _| Some(json!({})));
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token", "first"]);
    rpc.result("conversation.markAsRead", json!(["c1"]));
    assert_eq!(tokens(&peer), ["first"]);
    rpc.result("session.setToken", json!(["second"]));
    rpc.result("conversation.markAsRead", json!(["c1"]));
    assert_eq!(tokens(&peer), ["first", "second"]);
}

#[cfg(unix)]
#[test]
fn rpc_token_command_output_is_trimmed() {
    let counter = tempfile::NamedTempFile::new().unwrap();
    let path = counter.path().to_str().unwrap();
    let command = format!("echo run >> '{path}'; echo; echo '  a token'; echo");
    let peer = Peer::start(|_, _| Some(json!({})));
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token-command", &command]);
    assert_eq!(fs::read_to_string(path).unwrap(), "");
    rpc.result("conversation.markAsRead", json!(["c1"]));
    assert_eq!(tokens(&peer), ["a token"]);
    assert_eq!(fs::read_to_string(path).unwrap(), "run\n");
}

#[cfg(unix)]
#[test]
fn rpc_token_command_failure_ends_session() {
    let peer = Peer::start(|_, _| Some(json!({})));
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token-command", "exit 3"]);
    let answer = rpc.call("conversation.markAsRead", json!(["c1"]));
    assert_eq!(answer["error"]["kind"], "session");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("exit status: 3"), "{message}");
    assert_eq!(rpc.exit().1, Some(1));
}
