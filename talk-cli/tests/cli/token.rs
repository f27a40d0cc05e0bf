use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::support::{Emulator, talk};

const SESSION: [&str; 4] = ["--app", "app", "--user", "alice"];

fn with_input(command: &mut Command, input: &str) -> Output {
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    process.wait_with_output().unwrap()
}

/// Returns a token that is signed with `s3cret`.
fn mint(options: &[&str]) -> String {
    let output = with_input(
        talk().args(SESSION).args(["token", "mint"]).args(options),
        "s3cret\n",
    );
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Returns the exit code and the output of a check.
fn check(options: &[&str], token: &str) -> (Option<i32>, String) {
    let mut talk = talk();
    talk.env("TALK_SECRET", "s3cret").args(["token", "check"]);
    let output = with_input(talk.args(options), token);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(token));
    (output.status.code(), text)
}

#[test]
fn token_minted_is_accepted_by_the_emulator() {
    let token = mint(&[]);
    let (code, told) = check(&SESSION, &token);
    assert_eq!(code, Some(0));
    assert!(
        told.starts_with("app: app\nuser: alice\nexpires: "),
        "{told}"
    );
    assert_eq!(told.lines().count(), 3, "{told}");

    let emulator = Emulator::start(&["--secret", "s3cret"]);
    let session = [&SESSION[..], &["--host", &emulator.host]].concat();
    let set = |token: &str| {
        let mut talk = talk();
        talk.args(&session).args(["--token", token]);
        let output = talk
            .args(["user", "set", "alice", "--name", "Alice"])
            .output();
        output.unwrap().status.success()
    };
    assert!(set(&token));
    assert!(!set(&mint(&["--expires-in", "0"])));
}

#[test]
fn token_check_reports_problems() {
    let (code, told) = check(&["--app", "other"], &mint(&["--no-expiry"]));
    assert_eq!(code, Some(1));
    assert!(
        told.contains("\nrefused: its claim `iss` is \"app\""),
        "{told}"
    );
    assert!(told.contains("\nwarning: it never expires"), "{told}");
    let (code, told) = check(&[], "no token");
    assert_eq!(code, Some(1));
    assert!(
        told.starts_with("refused: it is no JSON Web Token"),
        "{told}"
    );
}
