use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use futures_executor::block_on;
use serde_json::{Value, json};

use crate::people::People;
use crate::support::talk;

#[test]
fn message_is_sent_and_read() {
    let people = People::new();
    let id = people.succeeds("alice", &["send", "c1", "Hi *Bob*!", "--custom", "k=v"]);
    let reply = people.json("bob", &["send", "c1", "Hi!", "--reply-to", &id]);
    assert!(reply["messageRef"].as_str().unwrap().starts_with("msg_"));

    let shown = people.succeeds("bob", &["messages", "c1", "--once"]);
    assert_eq!(shown, "Alice  Hi *Bob*!\nBob  ↳ Alice: Hi Bob!\n     Hi!");
    let shown = people.succeeds("bob", &["messages", "c1", "--once", "--last", "1"]);
    assert!(shown.starts_with("Bob"), "{shown}");
    let message = people.json("bob", &["message", "get", "c1", &id]);
    assert_eq!(message["plaintext"], "Hi Bob!");
    assert_eq!(message["custom"], json!({"k": "v"}));

    people.succeeds("alice", &["message", "edit", "c1", &id, "Hi all!"]);
    let shown = people.succeeds("bob", &["message", "get", "c1", &id]);
    assert_eq!(shown, "Alice  Hi all! (edited)");
    people.succeeds("alice", &["message", "delete", "c1", &id]);
    let message = people.fails("bob", &["message", "get", "c1", &id]);
    assert!(message.contains("no message"), "{message}");
}

#[test]
fn conversation_is_followed() {
    let people = People::new();
    people.succeeds("alice", &["send", "c1", "one"]);
    let mut process = people
        .command("bob", &["messages", "c1", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["plaintext"], "one");

    let id = people.succeeds("alice", &["send", "c1", "two"]);
    assert_eq!(next()["plaintext"], "two");
    people.succeeds("alice", &["reaction", "add", "c1", &id, "👍"]);
    assert_eq!(next()["reactions"][0]["count"], 1);
    people.succeeds("alice", &["message", "edit", "c1", &id, "three"]);
    assert_eq!(next()["plaintext"], "three");
    people.succeeds("alice", &["message", "delete", "c1", &id]);
    assert_eq!(next(), json!({"removed": id, "reason": "deleted"}));
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn messages_closed_output_ends_command() {
    let people = People::new();
    people.succeeds("alice", &["send", "c1", "one"]);
    for args in [
        &["messages", "c1"][..],
        &["conversations"],
        &["conversation", "watch", "c1"],
    ] {
        let mut process = people
            .command("bob", args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        drop(output);
        assert_eq!(process.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

#[test]
fn send_text_with_hyphens_is_text() {
    let people = People::new();
    for (text, plaintext) in [
        ("-hi", "-hi"),
        ("- item", "item"),
        ("--unknown", "--unknown"),
        ("-5", "-5"),
    ] {
        let id = people.succeeds("alice", &["send", "c1", text, "--custom", "k=v"]);
        let message = people.json("bob", &["message", "get", "c1", &id]);
        let shown = message["plaintext"].as_str().unwrap();
        assert!(shown.contains(plaintext), "{shown}");
        people.succeeds("alice", &["message", "edit", "c1", &id, text]);
    }
    let id = people.succeeds("alice", &["send", "c1", "--", "--json"]);
    let message = people.json("bob", &["message", "get", "c1", &id]);
    assert_eq!(message["plaintext"], "--json");
    let output = people.run("alice", &["send", "c1", "--help"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn host_malformed_is_a_usage_error() {
    for host in ["127.0.0.1:22x", "127.0.0.1:99999", "http://127.0.0.1:1", ""] {
        let args = [
            "--app", "a", "--user", "u", "--host", host, "user", "get", "u",
        ];
        let output = talk().args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{host}");
    }
}

#[test]
fn unreachable_host_is_reported_with_its_reason() {
    // A closed listener leaves a port that refuses connections.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    for command in [["send", "c1", "hello"], ["search", "messages", "hello"]] {
        let output = talk()
            .args(["--host", &host, "--app", "app", "--user", "alice"])
            .args(["--timeout", "2"])
            .args(command)
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stderr).unwrap();
        let (first, rest) = shown.split_once('\n').unwrap();
        assert!(
            first.starts_with(&format!("talk: cannot reach {host}: ")),
            "{shown}"
        );
        assert!(first.ends_with("; still trying"), "{shown}");
        assert!(
            rest.contains("talk: no answer within 2s; not connected: "),
            "{shown}"
        );
        assert!(rest.contains("cannot connect to 127.0.0.1"), "{shown}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn verbose_logs_connection_and_calls_without_texts() {
    let people = People::new();
    let log = |flag: &str| {
        let output = people.run("alice", &[flag, "send", "c1", "xyzzy"]);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let brief = log("-v");
    assert!(brief.contains(" connected"), "{brief}");
    assert!(!brief.contains("frame sent"), "{brief}");
    let full = log("-vv");
    assert!(full.contains("send_message"), "{full}");
    assert!(full.contains("frame sent bytes="), "{full}");
    assert!(!full.contains("xyzzy"), "{full}");
}

#[test]
fn send_reads_standard_input() {
    let people = People::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "two\nlines\n").unwrap();
    let status = people
        .command("alice", &["send", "c1", "-"])
        .stdin(file.reopen().unwrap())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let shown = people.succeeds("bob", &["messages", "c1", "--once"]);
    assert_eq!(shown, "Alice  two\n       lines");
}

#[test]
fn users_are_set_and_reset() {
    let people = People::new();
    people.succeeds(
        "bob",
        &[
            "user",
            "set",
            "bob",
            "--photo-url",
            "https://p",
            "--custom",
            "a=1",
            "--custom",
            "b=2",
        ],
    );
    people.succeeds(
        "bob",
        &[
            "user", "set", "bob", "--unset", "photoUrl", "--unset", "custom.a",
        ],
    );
    let bob = people.json("alice", &["user", "get", "bob"]);
    assert_eq!(bob["name"], "Bob");
    assert_eq!(bob["photoUrl"], Value::Null);
    assert_eq!(bob["custom"], json!({"b": "2"}));
    assert_eq!(
        people.succeeds("alice", &["user", "get", "bob"]),
        "Bob  bob\n  role: default\n  custom.b: 2"
    );
    let message = people.fails("alice", &["user", "get", "nobody"]);
    assert!(message.contains("there is no user \"nobody\""), "{message}");
}

#[test]
fn conversations_are_read_and_left() {
    let people = People::new();
    people.succeeds("alice", &["send", "c1", "Hi!"]);
    let unread = |count: u64| {
        let shown = people.json("bob", &["conversation", "get", "c1"]);
        assert_eq!(shown["unreadMessageCount"], count);
        shown["isUnread"].as_bool().unwrap()
    };
    assert!(unread(1));
    let shown = people.succeeds("bob", &["conversation", "get", "c1"]);
    assert_eq!(shown, "Tea  c1  1 unread\n  last: Alice: Hi!");
    people.succeeds("bob", &["conversation", "read", "c1"]);
    assert!(!unread(0));
    people.succeeds("bob", &["conversation", "unread", "c1"]);
    assert!(unread(0));
    people.succeeds("bob", &["conversation", "typing", "c1"]);
    people.succeeds(
        "bob",
        &["conversation", "set", "c1", "--notify", "mentions"],
    );
    let shown = people.json("bob", &["conversation", "get", "c1"]);
    assert_eq!(shown["notify"], "MentionsOnly");
    people.succeeds("bob", &["conversation", "leave", "c1"]);
    let message = people.fails("bob", &["conversation", "get", "c1"]);
    assert!(message.contains("no conversation"), "{message}");
}

#[test]
fn conversations_are_listed() {
    let people = People::new();
    people.succeeds("alice", &["conversation", "create", "c2"]);
    people.succeeds("alice", &["participant", "add", "c2", "bob"]);
    people.succeeds("alice", &["send", "c1", "Hi!"]);
    let shown = people.succeeds("bob", &["conversations", "--once"]);
    assert_eq!(shown, "Tea  c1  1 unread\n  last: Alice: Hi!\nc2");
    let shown = people.json("bob", &["conversations", "--once", "--limit", "1"]);
    assert_eq!(shown["id"], "c1");
    assert_eq!(shown["lastMessage"]["plaintext"], "Hi!");

    let once = ["conversations", "--once", "--filter"];
    let shown = |filter| people.json("bob", &[&once[..], &[filter]].concat());
    assert_eq!(shown(r#"{"isUnread": false}"#)["id"], "c2");
    assert_eq!(
        shown(r#"["any", [{"subject": ["==", "Tea"]}]]"#)["id"],
        "c1"
    );
    assert_eq!(people.succeeds("carol", &["conversations", "--once"]), "");
    for bad in [
        "{",
        r#"{"isunread": true}"#,
        r#"{"access": ["is", "Read"]}"#,
    ] {
        let output = people.run("bob", &[&once[..], &[bad]].concat());
        assert_eq!(output.status.code(), Some(2), "{bad}");
    }
}

#[test]
fn conversations_are_followed() {
    let people = People::new();
    people.succeeds("alice", &["conversation", "create", "c2"]);
    let filter = r#"{"subject": ["oneOf", ["Tea", "Cake"]]}"#;
    let mut process = people
        .command("alice", &["conversations", "--json", "--filter", filter])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["id"], "c1");

    people.succeeds("bob", &["send", "c1", "Hi!"]);
    assert_eq!(next()["lastMessage"]["plaintext"], "Hi!");
    people.succeeds("alice", &["conversation", "set", "c2", "--subject", "Cake"]);
    assert_eq!(next()["id"], "c2");
    people.succeeds("bob", &["conversation", "set", "c1", "--subject", "Milk"]);
    assert_eq!(next(), json!({"removed": "c1", "reason": "filtered"}));
    people.succeeds("alice", &["conversation", "leave", "c2"]);
    assert_eq!(next(), json!({"removed": "c2", "reason": "left"}));
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn participants_and_reactions_are_listed() {
    let people = People::new();
    people.succeeds(
        "alice",
        &["participant", "edit", "c1", "bob", "--access", "read"],
    );
    let shown = people.succeeds("alice", &["participant", "list", "c1"]);
    assert_eq!(shown, "Bob  bob\n  access: Read\nAlice  alice");
    let shown = people.json("alice", &["participant", "list", "c1", "--limit", "1"]);
    assert_eq!(shown["user"]["id"], "bob");

    let id = people.succeeds("alice", &["send", "c1", "Hi!"]);
    for user in ["alice", "bob"] {
        people.succeeds(user, &["reaction", "add", "c1", &id, ":tea:"]);
    }
    people.succeeds("alice", &["reaction", "remove", "c1", &id, ":tea:"]);
    let shown = people.succeeds("alice", &["reaction", "list", "c1", &id, ":tea:"]);
    assert_eq!(shown, "Bob  bob");
    people.succeeds("alice", &["participant", "remove", "c1", "bob"]);
    let message = people.fails("alice", &["participant", "get", "c1", "bob"]);
    assert!(message.contains("no participant"), "{message}");
}

#[test]
fn participant_commands_act_as_session_user() {
    let people = People::new();
    people.succeeds("carol", &["user", "set", "carol", "--name", "Carol"]);
    let get = &["participant", "get", "c1", "bob"][..];
    for (variable, flag) in [("carol", &[][..]), ("alice", &["--user", "carol"])] {
        let message = people.fails(variable, &[flag, get].concat());
        assert!(message.contains("NOT_A_PARTICIPANT"), "{message}");
    }
    people.succeeds("alice", get);
}

#[test]
fn messages_and_conversations_are_found() {
    let people = People::new();
    for index in 0..12 {
        people.succeeds("alice", &["send", "c1", &format!("cup {index}")]);
    }
    let shown = people.succeeds("bob", &["search", "messages", "cup 11"]);
    assert_eq!(shown, "Tea\n  Alice  cup 11");
    let args = ["search", "messages", "cup", "--limit", "12", "--json"];
    assert_eq!(people.succeeds("bob", &args).lines().count(), 12);
    let shown = people.json("bob", &["search", "conversations", "te"]);
    assert_eq!(shown["id"], "c1");
    let filter = r#"{"isUnread": false}"#;
    let args = ["search", "messages", "cup", "--filter", filter];
    assert_eq!(people.succeeds("bob", &args), "(none)");
    let output = people.run("bob", &["search", "messages", "cup", "--filter", "{"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn file_is_sent() {
    let people = People::new();
    let file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
    std::fs::write(file.path(), "not really a picture").unwrap();
    let path = file.path().to_str().unwrap();
    let id = people.succeeds("alice", &["send", "c1", "--file", path, "--as", "image"]);
    let block = people.json("bob", &["message", "get", "c1", &id])["content"][0].clone();
    assert_eq!(block["subtype"], "image");
    assert_eq!(block["size"], 20);
    let output = people.run("alice", &["send", "c1"]);
    assert_eq!(output.status.code(), Some(2));
    let message = people.fails("alice", &["send", "c1", "--file", "/nowhere/cat.png"]);
    assert!(message.contains("could not be read"), "{message}");
}

/// Returns the beginning of a PNG, up to its size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        size.as_slice(),
        b"\x08\x06\0\0\0",
    ]
    .concat()
}

#[test]
fn text_with_flags_of_file_is_refused() {
    let people = People::new();
    for flags in [
        &["--as", "voice"][..],
        &["--probe"],
        &["--width", "3"],
        &["--height", "3"],
        &["--duration", "3"],
    ] {
        let output = people.run("alice", &[&["send", "c1", "Hi!"], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
    assert_eq!(people.succeeds("alice", &["messages", "c1", "--once"]), "");
}

#[test]
fn upload_kind_follows_the_filename() {
    let people = People::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let picture = path("cat.png", &png(640, 480));
    let notes = path("notes.txt", b"notes");
    let sound = path("sound.ogg", b"ogg");
    let args = ["upload", "--probe", &picture, &notes, &sound];
    let shown = people.succeeds("alice", &args);
    let tokens: Vec<&str> = shown.lines().collect();
    assert_eq!(tokens.len(), 3);
    assert!(tokens.iter().all(|token| token.len() > 8), "{tokens:?}");

    let shown = people.succeeds("alice", &[&args[..], &["--json"]].concat());
    let kinds = shown.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["fileToken"].is_string());
        (line["path"].clone(), line["kind"].clone())
    });
    let expected = [
        (picture.as_str(), "image"),
        (&notes, "file"),
        (&sound, "audio"),
    ];
    assert!(kinds.eq(expected.map(|(path, kind)| (json!(path), json!(kind)))));

    let send = ["send", "c1", "--file", &picture];
    let id = people.succeeds(
        "alice",
        &[&send[..], &["--probe", "--width", "320"]].concat(),
    );
    let block = people.json("bob", &["message", "get", "c1", &id])["content"][0].clone();
    assert_eq!(block["subtype"], "image");
    assert_eq!(
        (&block["width"], &block["height"]),
        (&json!(320), &json!(480))
    );

    let message = people.fails("alice", &["upload", &notes, "/nowhere/cat.png"]);
    assert!(message.contains("/nowhere/cat.png"), "{message}");
}

#[cfg(unix)]
#[test]
fn upload_interrupted_is_cancelled() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap().to_string();
    let mut process = talk()
        .args([
            "--app",
            "app",
            "--user",
            "alice",
            "--host",
            &host,
            "upload",
            "Cargo.toml",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _connection = silent.accept().unwrap();
    let kill = std::process::Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(130));
    let mut message = String::new();
    let mut stderr = process.stderr.take().unwrap();
    std::io::Read::read_to_string(&mut stderr, &mut message).unwrap();
    assert_eq!(message, "talk: cancelled\n");
}

#[cfg(unix)]
#[test]
fn send_of_file_is_stopped_after_upload() {
    let people = People::new();
    let path = "/conversations/c1/messages";
    people.succeeds("alice", &["fault", "unanswered", "--path", path]);
    let mut process = people
        .command("alice", &["send", "c1", "--file", "Cargo.toml"])
        .spawn()
        .unwrap();
    let sent = people.emulator.wait_for(move |server| {
        let mut requests = server.received_requests();
        requests.any(|request| request.path == path)
    });
    block_on(sent).unwrap();
    let kill = std::process::Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(143));
}

#[cfg(target_os = "linux")]
#[test]
fn upload_with_name_that_is_not_unicode_prints_its_token() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let people = People::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(OsStr::from_bytes(b"b\xff.txt"));
    std::fs::write(&file, "b").unwrap();
    let output = people
        .command("alice", &["--json", "upload"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let uploaded: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(uploaded["fileToken"].is_string(), "{uploaded}");
    assert!(
        uploaded["path"].as_str().unwrap().ends_with(".txt"),
        "{uploaded}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn error_that_cannot_be_printed_keeps_its_exit_code() {
    let people = People::new();
    let commands = [
        (&["user", "get", "nobody"][..], 1),
        (&["--json", "user", "get", "nobody"], 1),
        (&["send", "c1", "Hi!", "--probe"], 2),
        (&["-vv", "user", "get", "bob"], 0),
    ];
    for (args, code) in commands {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = people.command("alice", args);
        let status = command.stderr(full.unwrap()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn typing_watch_prints_changes() {
    let people = People::new();
    let mut process = people
        .command("alice", &["conversation", "typing", "c1", "--watch"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "nobody is typing");
    people.succeeds("bob", &["conversation", "typing", "c1"]);
    assert_eq!(lines.next().unwrap().unwrap(), "Bob is typing…");
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn command_refused_prints_reason() {
    let people = People::new();
    let message = people.fails("alice", &["send", "nowhere", "Hi!"]);
    assert!(message.contains("CONVERSATION_NOT_FOUND"), "{message}");
    assert!(message.contains("talk conversation create"), "{message}");
    let message = people.fails("alice", &["messages", "nowhere", "--once"]);
    assert!(message.contains("nowhere"), "{message}");
    for (args, reason) in [
        (&["user", "get", ""][..], "user ID"),
        (&["user", "set", "bob", "--unset", "nmae"], "nmae"),
    ] {
        let output = people.run("alice", args);
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(reason), "{message}");
    }

    people.emulator.refuse_connections(true);
    let message = people.fails("alice", &["user", "get", "bob", "--timeout", "0.2"]);
    assert!(message.contains("no answer within"), "{message}");
}

#[test]
fn every_command_has_help() {
    for command in [
        &[][..],
        &["demo"],
        &["emulator"],
        &["send"],
        &["messages"],
        &["user"],
        &["user", "set"],
        &["conversations"],
        &["conversation"],
        &["conversation", "set"],
        &["participant"],
        &["participant", "add"],
        &["message"],
        &["message", "edit"],
        &["reaction"],
        &["reaction", "list"],
        &["search"],
        &["search", "messages"],
        &["rpc"],
        &["markup"],
    ] {
        let output = talk().args(command).arg("--help").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("Usage: talk"), "{help}");
    }
}
