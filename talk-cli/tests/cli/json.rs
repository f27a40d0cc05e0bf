//! The JSON output, the exit codes and the places of global flags.

use std::process::Output;

use serde_json::{Value, json};

use crate::people::People;
use crate::support::talk;

/// Returns the lines of a stream, each of which is an object.
fn objects(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert!(lines.iter().all(Value::is_object), "{text}");
    lines
}

/// Returns the error of a command that prints nothing else.
fn error(output: &Output) -> Value {
    assert_eq!(objects(&output.stdout), [] as [Value; 0]);
    let mut lines = objects(&output.stderr);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)["error"].take()
}

#[test]
fn json_errors_have_kinds_and_codes() {
    let people = People::new();
    for (args, exit_code, kind, code) in [
        (&["user", "get", "nobody"][..], 1, "local", "NOT_FOUND"),
        (&["conversation", "get", "c9"], 1, "local", "NOT_FOUND"),
        (
            &["participant", "get", "c1", "eve"],
            1,
            "local",
            "NOT_FOUND",
        ),
        (&["message", "get", "c1", "m"], 1, "local", "NOT_FOUND"),
        (&["participant", "list", "c9"], 1, "local", "NOT_FOUND"),
        (&["messages", "c9", "--once"], 1, "local", "NOT_FOUND"),
        (
            &["send", "c9", "Hi!"],
            1,
            "server",
            "CONVERSATION_NOT_FOUND",
        ),
        (
            &["upload", "/nowhere/cat.png"],
            1,
            "transport",
            "FILE_UNREADABLE",
        ),
        (&["user", "get", ""], 2, "usage", "INVALID_ARGUMENTS"),
        (&["send", "", "Hi!"], 2, "usage", "INVALID_ARGUMENTS"),
        (
            &["user", "set", "bob", "--unset", "nmae"],
            2,
            "usage",
            "INVALID_ARGUMENTS",
        ),
        (&["user", "got"], 2, "usage", "INVALID_ARGUMENTS"),
        (
            &["conversations", "--filter", "{"],
            2,
            "usage",
            "INVALID_ARGUMENTS",
        ),
    ] {
        let output = people.run("alice", &[args, &["--json"]].concat());
        let error = error(&output);
        assert_eq!(output.status.code(), Some(exit_code), "{error}");
        assert_eq!(
            (&error["kind"], &error["code"]),
            (&json!(kind), &json!(code)),
            "{error}"
        );
        assert!(error["message"].is_string(), "{error}");
    }
}

#[test]
fn json_lists_are_one_object_a_line() {
    let people = People::new();
    let id = people.succeeds("alice", &["send", "c1", "cup of tea"]);
    for user in ["alice", "bob"] {
        people.succeeds(user, &["reaction", "add", "c1", &id, "👍"]);
    }
    for (args, count) in [
        (&["participant", "list", "c1"][..], 2),
        (&["reaction", "list", "c1", &id, "👍"], 2),
        (&["search", "messages", "tea"], 1),
        (&["search", "messages", "nothing"], 0),
        (&["conversations", "--once"], 1),
        (&["messages", "c1", "--once"], 1),
    ] {
        let output = people.run("bob", &[&["--json"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(objects(&output.stdout).len(), count, "{args:?}");
    }
}

#[test]
fn global_flags_stand_anywhere() {
    let people = People::new();
    for args in [
        ["--json", "--timeout", "9", "user", "get", "bob"],
        ["user", "--json", "--timeout", "9", "get", "bob"],
        ["user", "get", "bob", "--timeout", "9", "--json"],
    ] {
        let output = people.run("alice", &args);
        assert_eq!(objects(&output.stdout)[0]["name"], "Bob", "{args:?}");
    }
}

#[test]
fn messages_long_shows_times_and_ids() {
    let people = People::new();
    let id = people.succeeds("alice", &["send", "c1", "two\nlines"]);
    let shown = people.succeeds("bob", &["messages", "c1", "--once", "-l"]);
    let (first, second) = shown.split_once('\n').unwrap();
    let (time, rest) = first.split_at("2026-01-01T00:00:00.000Z".len());
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert_eq!(rest, format!("  {id}  Alice  two"));
    assert_eq!(second.find("lines"), first.find("two"));
}

#[test]
fn conversation_marked_as_unread_is_shown() {
    let people = People::new();
    people.succeeds("bob", &["conversation", "unread", "c1"]);
    let shown = people.succeeds("bob", &["conversation", "get", "c1"]);
    assert!(
        shown.starts_with("Tea  c1  unread\n") || shown == "Tea  c1  unread",
        "{shown}"
    );
}

fn help(args: &[&str]) -> String {
    let output = talk().args(args).arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_hides_session_flags_without_a_session() {
    for command in ["demo", "emulator", "markup", "completions", "man"] {
        assert!(!help(&[command]).contains("--token-command"), "{command}");
    }
    let mint = help(&["token", "mint"]);
    assert!(
        mint.contains("--app") && !mint.contains("--proxy"),
        "{mint}"
    );
    assert!(help(&["send"]).contains("--token-command"));
    let rpc = help(&["rpc"]);
    assert!(rpc.contains("message.translate") && rpc.contains("[conversation, message, language]"));
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = talk().args(["completions", shell]).output().unwrap();
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .contains("conversations")
        );
    }
    let output = talk().arg("man").output().unwrap();
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains(".TH talk 1")
    );
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("share/man1");
    for folder in [folder.path(), &absent] {
        let status = talk().args(["man", "--dir"]).arg(folder).status();
        assert!(status.unwrap().success());
        assert!(folder.join("talk-user-set.1").exists());
    }
}

#[test]
fn filter_half_an_emoji_is_accepted() {
    let people = People::new();
    for (operator, found) in [("==", 0), ("!=", 1)] {
        let filter = format!(r#"{{"subject": ["{operator}", "\ud83d"]}}"#);
        let args = ["conversations", "--once", "--json", "--filter", &filter];
        let output = people.succeeds("alice", &args);
        assert_eq!(objects(output.as_bytes()).len(), found, "{output}");
    }
}

#[test]
fn custom_keeps_json_as_text() {
    let people = People::new();
    let custom = r#"k={"a":"\ud83d"}"#;
    let id = people.succeeds("alice", &["send", "c1", "Hi!", "--custom", custom]);
    let message = people.json("alice", &["message", "get", "c1", &id]);
    assert_eq!(message["custom"], json!({"k": r#"{"a":"\ud83d"}"#}));

    let output = people.run("alice", &["send", "c1", "Hi!", "--custom", &custom[2..]]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("--custom <KEY=VALUE>"), "{message}");
}
