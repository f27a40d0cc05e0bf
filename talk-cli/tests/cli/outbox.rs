use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use talk_emulator::Emulator;
use tempfile::TempDir;

use crate::database::Server;
use crate::people::People;
use crate::support::Rpc;

/// Alice and Bob, and the store of Alice.
struct Town {
    people: People,
    store: String,
    folder: TempDir,
    _database: Option<Server>,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.talk");
        Self {
            people: People::new(),
            store: path.to_str().unwrap().to_owned(),
            folder,
            _database: None,
        }
    }

    /// Refuses connections, and keeps the store of Alice in a database. Returns `None` if
    /// PostgreSQL is not installed.
    fn offline_with_database() -> Option<Self> {
        let database = Server::start()?;
        Some(Self {
            store: database.address(),
            _database: Some(database),
            ..Self::offline()
        })
    }

    /// Refuses connections from here on.
    fn offline() -> Self {
        let town = Self::new();
        town.emulator().refuse_connections(true);
        town
    }

    fn emulator(&self) -> &Emulator {
        &self.people.emulator
    }

    fn go_online(&self) {
        self.emulator().refuse_connections(false);
    }

    fn with_store<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--store", &self.store]].concat()
    }

    fn succeeds(&self, args: &[&str]) -> String {
        self.people.succeeds("alice", &self.with_store(args))
    }

    fn fails(&self, args: &[&str]) -> String {
        self.people.fails("alice", &self.with_store(args))
    }

    fn command(&self, args: &[&str]) -> Command {
        self.people.command("alice", &self.with_store(args))
    }

    /// Returns the entries of the store.
    fn entries(&self) -> Vec<Value> {
        let lines = self.succeeds(&["outbox", "list", "--json"]);
        let lines = lines.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }

    /// Returns the texts on the server, oldest first.
    fn texts(&self) -> Vec<String> {
        let shown = self
            .people
            .succeeds("bob", &["messages", "c1", "--once", "--json"]);
        let text = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["plaintext"].as_str().unwrap().to_owned()
        };
        shown.lines().map(text).collect()
    }
}

fn plaintexts(entries: &[Value]) -> Vec<&str> {
    let texts = entries.iter().map(|entry| entry["plaintext"].as_str());
    texts.collect::<Option<_>>().unwrap()
}

#[test]
fn queue_of_ten_processes_is_sent_once_and_in_order() {
    send_queue_of_ten_processes(&Town::offline());
}

#[test]
fn queue_in_a_database_is_sent_once_and_in_order() {
    if let Some(town) = Town::offline_with_database() {
        send_queue_of_ten_processes(&town);
    }
}

/// Ten messages and a file are queued offline by processes that are killed once they have printed
/// the ID of the entry, or later.
#[test]
fn queue_of_killed_processes_is_sent_once() {
    let town = Town::offline();
    let file = town.folder.path().join("notes.txt");
    std::fs::write(&file, "Hello").unwrap();
    let file = file.to_str().unwrap();
    let mut expected = Vec::new();
    for number in 0..=10 {
        let text = format!("text {number}");
        let message = if number == 5 {
            vec!["--file", file]
        } else {
            vec![&*text]
        };
        let args = [&["send", "--queue", "c1"], &*message].concat();
        let mut process = town.command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut entry = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut entry).unwrap();
        // The process may have ended.
        let _ = process.kill();
        process.wait().unwrap();
        assert_eq!(entry.trim_end().len(), 20, "{entry}");
        expected.push(if number == 5 {
            "notes.txt".to_owned()
        } else {
            text
        });
    }
    let entries = town.entries();
    assert_eq!(entries.len(), 11);
    assert_eq!(
        entries[5]["files"],
        json!([{"filename": "notes.txt", "size": 5}])
    );

    town.go_online();
    town.succeeds(&["outbox", "send"]);
    let texts = town.texts();
    assert_eq!(texts[..5], expected[..5]);
    assert_eq!(texts[6..], expected[6..]);
    let shown = town
        .people
        .succeeds("bob", &["messages", "c1", "--once", "--json"]);
    let message: Value = serde_json::from_str(shown.lines().nth(5).unwrap()).unwrap();
    assert_eq!(message["content"][0]["filename"], "notes.txt");
    assert_eq!(message["content"][0]["size"], 5);
    assert_eq!(texts.len(), 11);
    assert_eq!(town.entries(), [] as [Value; 0]);
    town.succeeds(&["outbox", "send"]);
    assert_eq!(town.texts(), texts);
}

#[test]
fn queued_file_changed_is_held() {
    let town = Town::offline();
    let file = town.folder.path().join("notes.txt");
    std::fs::write(&file, "Hello").unwrap();
    town.succeeds(&["send", "--queue", "c1", "--file", file.to_str().unwrap()]);
    std::fs::write(&file, "Hello, world!").unwrap();
    town.go_online();
    let error = town.fails(&["outbox", "send"]);
    assert!(error.contains("1 of the queued messages"), "{error}");
    assert_eq!(town.entries()[0]["reason"]["kind"], "sourceGone");
    assert_eq!(town.texts(), [] as [String; 0]);
}

#[test]
fn queued_file_absent_is_refused() {
    let town = Town::offline();
    let error = town.fails(&["send", "--queue", "c1", "--file", "/nowhere/notes.txt"]);
    assert!(error.contains("/nowhere/notes.txt"), "{error}");
    assert_eq!(town.entries(), [] as [Value; 0]);
}

fn send_queue_of_ten_processes(town: &Town) {
    let start = |number: usize| {
        let text = format!("text {number}");
        let mut command = town.command(&["send", "--queue", "c1", &text]);
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let processes: Vec<_> = (0..10).map(start).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let entries = town.entries();
    let queued = plaintexts(&entries);
    let mut sorted = queued.clone();
    sorted.sort_unstable();
    let expected: Vec<_> = (0..10).map(|number| format!("text {number}")).collect();
    assert_eq!(sorted, expected);

    town.go_online();
    town.succeeds(&["outbox", "send"]);
    assert_eq!(town.texts(), queued);
    assert_eq!(town.entries(), [] as [Value; 0]);
}

#[test]
fn queued_messages_can_be_changed() {
    let town = Town::offline();
    let first = town.succeeds(&["send", "--queue", "c1", "Hi *Bob*!"]);
    let second = town.succeeds(&["send", "--queue", "c1", "two"]);
    let entries = town.entries();
    assert_eq!(entries[0]["id"], first);
    assert_eq!(entries[0]["conversation"], "c1");
    assert_eq!(entries[0]["stage"], "queued");
    assert_eq!(entries[0]["durable"], true);
    assert_eq!(plaintexts(&entries), ["Hi Bob!", "two"]);

    town.succeeds(&["outbox", "edit", &first, "Hi all!"]);
    town.succeeds(&["outbox", "discard", &second]);
    let error = town.fails(&["outbox", "discard", &second]);
    assert!(error.contains("no unsent entry"), "{error}");
    town.go_online();
    town.succeeds(&["outbox", "send"]);
    assert_eq!(town.texts(), ["Hi all!"]);
}

#[test]
fn queue_wait_sends_all_earlier_entries() {
    let town = Town::new();
    town.succeeds(&["send", "--queue", "c1", "one"]);
    assert_eq!(town.texts(), [] as [String; 0]);
    let line = town.succeeds(&["send", "--queue", "--wait", "c1", "two", "--json"]);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert!(line["messageRef"].as_str().unwrap().starts_with("msg_"));
    assert!(line["entry"].is_string());
    assert_eq!(town.texts(), ["one", "two"]);
}

#[test]
fn queue_wait_timeout_prints_the_entry() {
    let town = Town::offline();
    let args = [
        "send",
        "--queue",
        "--wait",
        "--timeout",
        "0.2",
        "c1",
        "one",
        "--json",
    ];
    let output = town.command(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let error: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "TIMEOUT", "{error}");
    assert_eq!(line, json!({"entry": town.entries()[0]["id"]}));
}

#[test]
fn queue_wait_fails_if_the_message_is_held() {
    let town = Town::new();
    let args = ["send", "--queue", "--wait", "nowhere", "one", "--json"];
    let output = town.command(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "HELD", "{error}");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("CONVERSATION_NOT_FOUND"), "{message}");

    let error = town.fails(&["send", "--queue", "--wait", "nowhere", "two"]);
    let reason = format!("waits for {}", line["entry"].as_str().unwrap());
    assert!(error.contains(&reason), "{error}");
}

#[test]
fn outbox_send_fails_if_messages_are_held() {
    let town = Town::new();
    let refused = town.succeeds(&["send", "--queue", "nowhere", "one"]);
    town.succeeds(&["send", "--queue", "nowhere", "two"]);
    town.succeeds(&["send", "--queue", "c1", "three"]);
    let error = town.fails(&["outbox", "send"]);
    assert!(
        error.contains("2 of the queued messages are held"),
        "{error}"
    );
    assert_eq!(town.texts(), ["three"]);
    let entries = town.entries();
    assert_eq!(plaintexts(&entries), ["one", "two"]);
    assert_eq!(entries[0]["stage"], "held");
    assert_eq!(entries[0]["reason"]["kind"], "refused");
    assert_eq!(entries[1]["blockedBy"], refused);

    town.succeeds(&["outbox", "retry", &refused]);
    assert_eq!(town.entries()[0]["stage"], "queued");
    town.fails(&["outbox", "send"]);
}

#[test]
fn outbox_list_works_while_another_process_runs() {
    list_while_another_process_runs(&Town::offline());
}

#[test]
fn outbox_list_works_on_a_database_in_use() {
    if let Some(town) = Town::offline_with_database() {
        list_while_another_process_runs(&town);
    }
}

fn list_while_another_process_runs(town: &Town) {
    let host = town.emulator().host().to_owned();
    let mut rpc = Rpc::start(&host, "alice", &["--store", &town.store]);
    let entry = rpc.result("conversation.enqueue", json!(["c1", "Hello!"]))["entry"].clone();
    assert_eq!(town.entries()[0]["id"], entry);
    let args = [
        "outbox",
        "discard",
        entry.as_str().unwrap(),
        "--timeout",
        "0.2",
        "--json",
    ];
    let error: Value = serde_json::from_str(&town.fails(&args)).unwrap();
    assert_eq!(error["error"]["kind"], "store");
    assert_eq!(error["error"]["code"], "STORE_IN_USE");
}

#[test]
fn outbox_without_store_is_a_usage_error() {
    let people = People::new();
    for args in [&["outbox", "list"][..], &["send", "--queue", "c1", "Hi!"]] {
        assert_eq!(people.run("alice", args).status.code(), Some(2));
    }
}

#[test]
fn database_address_unreadable_is_not_shown() {
    let address = "postgres://bot:hush@localhost?port=none";
    let people = People::new();
    let output = people.run("alice", &["outbox", "list", "--store", address]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("port") && !error.contains("hush"), "{error}");
}
