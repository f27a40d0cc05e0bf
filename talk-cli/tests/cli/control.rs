//! `talk fault`, `talk snapshot` and `talk clock`.

use std::process::Output;

use serde_json::Value;

use crate::emulator::get;
use crate::support::{Emulator, talk};

fn run(emulator: &Emulator, args: &[&str]) -> Output {
    let mut command = talk();
    command.args(["--host", &emulator.host, "--app", "demo", "--user", "alice"]);
    command.args(args).output().unwrap()
}

fn ok(emulator: &Emulator, args: &[&str]) -> String {
    let output = run(emulator, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn failed(emulator: &Emulator, args: &[&str]) -> (Option<i32>, Value) {
    let output = run(emulator, &[args, &["--json"]].concat());
    let error = String::from_utf8(output.stderr).unwrap();
    (
        output.status.code(),
        serde_json::from_str::<Value>(&error).unwrap()["error"].take(),
    )
}

fn last_message(emulator: &Emulator) -> String {
    let args = ["messages", "weekend", "--once", "--json"];
    let messages = ok(emulator, &args);
    messages.lines().last().unwrap().to_owned()
}

#[test]
fn fault_refuses_next_requests() {
    let emulator = Emulator::start(&[]);
    ok(
        &emulator,
        &["fault", "500", "--path", "/users/bob", "--times", "2"],
    );
    let status = |path: &str| get(&emulator.host, path)[9..12].to_owned();
    assert_eq!(status("/v1/demo/users/alice"), "401");
    assert_eq!(status("/v1/demo/users/bob"), "500");
    assert_eq!(status("/v1/demo/users/bob"), "500");
    assert_eq!(status("/v1/demo/users/bob"), "401");

    let (code, error) = failed(&emulator, &["fault", "earthquake"]);
    assert_eq!((code, &error["kind"]), (Some(2), &"usage".into()));
}

#[test]
fn snapshot_save_and_restore_return_to_earlier_data() {
    let emulator = Emulator::start(&["--seed", "demo"]);
    let before = last_message(&emulator);
    ok(&emulator, &["snapshot", "save", "before / all"]);
    ok(&emulator, &["send", "weekend", "changed"]);
    assert!(last_message(&emulator).contains("changed"));
    ok(&emulator, &["snapshot", "restore", "before / all"]);
    assert_eq!(last_message(&emulator), before);
    let list = ok(&emulator, &["snapshot", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["name"], "before / all");
    ok(&emulator, &["snapshot", "delete", "before / all"]);
    assert_eq!(ok(&emulator, &["snapshot", "list"]), "");
    let (code, error) = failed(&emulator, &["snapshot", "restore", "before / all"]);
    assert_eq!(
        (code, &error["code"]),
        (Some(1), &"SNAPSHOT_NOT_FOUND".into())
    );
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("save it first"), "{message}");
}

#[test]
fn snapshot_file_moves_data_to_another_emulator() {
    let first = Emulator::start(&["--seed", "demo"]);
    ok(&first, &["send", "weekend", "moved"]);
    ok(&first, &["snapshot", "save", "a"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot.json");
    let file = file.to_str().unwrap();
    ok(&first, &["snapshot", "export", "a", file]);

    let second = Emulator::start(&[]);
    ok(&second, &["snapshot", "import", "b", file]);
    ok(&second, &["snapshot", "restore", "b"]);
    assert_eq!(last_message(&second), last_message(&first));
    std::fs::write(file, "[]").unwrap();
    let (code, error) = failed(&second, &["snapshot", "import", "b", file]);
    assert_eq!((code, &error["code"]), (Some(1), &"INVALID_REQUEST".into()));
}

#[test]
fn snapshot_reset_returns_to_seed() {
    let emulator = Emulator::start(&["--seed", "demo"]);
    ok(&emulator, &["send", "weekend", "changed"]);
    ok(&emulator, &["snapshot", "reset"]);
    assert!(!last_message(&emulator).contains("changed"));
}

#[test]
fn clock_advance_moves_time() {
    let emulator = Emulator::start(&[]);
    let time = |args: &[&str]| ok(&emulator, args).trim().parse::<u64>().unwrap();
    let before = time(&["clock", "show"]);
    let day = 24 * 3600 * 1000;
    assert!(time(&["clock", "advance", "86400"]) >= before + day);
    let json = ok(&emulator, &["clock", "show", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json["now"].as_u64().unwrap() >= before + day);
}

#[test]
fn control_other_machine_needs_plain() {
    for (host, advice) in [("192.0.2.1:1", "--plain"), ("", "TALK_HOST")] {
        let mut command = talk();
        if !host.is_empty() {
            command.args(["--host", host]);
        }
        let output = command.args(["clock", "show"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(advice), "{message}");
    }
}

#[test]
fn control_unreachable_emulator_is_reported() {
    let emulator = Emulator::start(&[]);
    let host = emulator.host.clone();
    drop(emulator);
    let output = talk()
        .args(["--host", &host, "clock", "show", "--json"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "EMULATOR_UNREACHABLE");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("`talk emulator`"), "{message}");
}
