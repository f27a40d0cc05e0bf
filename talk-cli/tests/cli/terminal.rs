use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::peer::Peer;
use crate::people::People;
use crate::support::talk;

/// ESC, a C1 control, DEL, controls of bidirectional text, a line separator.
const CONTROLS: &str = "\x1b[2J\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}";

fn assert_safe(text: &str) {
    let acts =
        |c: char| c != '\n' && (c.is_control() || CONTROLS[4..].contains(c) && !c.is_ascii());
    assert!(!text.contains(acts), "{text:?}");
}

#[test]
fn output_with_controls_is_safe() {
    let people = People::new();
    let name = format!("Bob{CONTROLS}\nAlice  forged");
    people.succeeds("bob", &["user", "set", "bob", "--name", &name]);
    let text = format!("hi{CONTROLS} *bold{CONTROLS}*");
    let id = people.succeeds(
        "bob",
        &["send", "c1", &text, "--custom", &format!("k={name}")],
    );
    people.succeeds("bob", &["conversation", "set", "c1", "--subject", &name]);
    for args in [
        &["messages", "c1", "--once"][..],
        &["conversations", "--once"],
        &["user", "get", "bob"],
        &["participant", "list", "c1"],
        &["message", "get", "c1", &id],
    ] {
        let shown = people.succeeds("alice", args);
        assert_safe(&shown);
        let is_forged = shown.lines().any(|line| line.starts_with("Alice  forged"));
        assert!(!is_forged, "{shown}");

        let shown = people.succeeds("alice", &[args, &["--json"]].concat());
        assert_safe(&shown);
    }
    let shown = people.json("alice", &["user", "get", "bob"]);
    assert_eq!(shown["name"], name);
}

#[test]
fn rpc_output_with_controls_is_safe() {
    let people = People::new();
    let mut process = people
        .command("alice", &["rpc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = json!({"id": CONTROLS, "call": "user.get", "args": ["bob"]});
    writeln!(process.stdin.take().unwrap(), "{line}").unwrap();
    let output = process.wait_with_output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert_safe(&output);
    let lines = output.lines().map(serde_json::from_str);
    let lines: Vec<Value> = lines.map(Result::unwrap).collect();
    assert!(lines.iter().any(|line| line["id"] == CONTROLS), "{lines:?}");
}

#[test]
fn error_with_controls_is_safe() {
    let reasons = json!({"errorCode": "BAD", "reasons": [format!("{CONTROLS}\ntalk: forged")]});
    let peer = Peer::start_with_status(move |_, _| Some((400, reasons.clone())));
    let session = [
        "--app", "a", "--user", "u", "--host", &peer.host, "--token", "t",
    ];
    let path = format!("/nowhere/{CONTROLS}");
    for args in [&["user", "get", "u"][..], &["upload", &path]] {
        let output = talk().args(session).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_safe(&message);
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn token_variable_empty_is_unset() {
    let people = People::new();
    let mut command = people.command("alice", &["user", "get", "bob"]);
    let output = command.env("TALK_TOKEN", "").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let output = people.run("alice", &["user", "get", "bob", "--token", ""]);
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn token_variable_not_utf8_is_a_usage_error() {
    use std::os::unix::ffi::OsStrExt;

    let people = People::new();
    for args in [&["user", "get", "bob"][..], &["token", "check"]] {
        let mut command = people.command("alice", args);
        let token = std::ffi::OsStr::from_bytes(b"\xff");
        let output = command.env("TALK_TOKEN", token).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("TALK_TOKEN"), "{message}");
    }
}

#[test]
fn help_of_secrets_names_the_environment() {
    for (args, variable) in [
        (&["send"][..], "TALK_TOKEN"),
        (&["token", "mint"], "TALK_SECRET"),
        (&["emulator"], "TALK_SECRET"),
    ] {
        let output = talk().args(args).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let words: Vec<_> = help.split_whitespace().collect();
        let advice = format!("prefer {variable}");
        assert!(words.join(" ").contains(&advice), "{help}");
    }
}
