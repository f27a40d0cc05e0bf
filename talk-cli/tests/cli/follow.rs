use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use futures_executor::block_on;
use serde_json::{Value, json};

use crate::people::People;

/// A command that follows a list.
struct Follower {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    fn start(people: &People, user: &str, args: &[&str]) -> Self {
        let mut process = people
            .command(user, args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let kill = std::process::Command::new("kill")
            .args([signal, &process])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Returns the texts of the next messages.
    fn texts(&mut self, count: usize) -> Vec<String> {
        let texts = (0..count).map(|_| self.json());
        let text = |line: Value| line["plaintext"].as_str().unwrap_or_default().to_owned();
        texts.map(text).collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Posts messages with these numbers as texts.
fn post(people: &People, numbers: std::ops::Range<usize>) -> Vec<String> {
    let post = |n: usize| {
        let text = n.to_string();
        let posted = people.emulator.post_system_message("app", "c1", &text);
        block_on(posted).unwrap().unwrap();
        text
    };
    numbers.map(post).collect()
}

/// Posts messages during a connection loss.
fn post_offline(people: &People, numbers: std::ops::Range<usize>) -> Vec<String> {
    people.emulator.refuse_connections(true);
    block_on(people.emulator.drop_connections()).unwrap();
    let texts = post(people, numbers);
    people.emulator.refuse_connections(false);
    texts
}

#[test]
fn messages_of_a_loss_are_printed_once_in_order() {
    let people = People::new();
    let before = post(&people, 0..40);
    let mut bob = Follower::start(&people, "bob", &["messages", "c1", "--json"]);
    assert_eq!(bob.texts(30), before[10..]);
    let during = post_offline(&people, 40..120);
    assert_eq!(bob.texts(80), during);
    let after = post(&people, 120..121);
    assert_eq!(bob.texts(1), after);
}

#[test]
fn messages_beyond_the_refetch_limit_are_a_gap() {
    let people = People::new();
    post(&people, 0..1);
    let mut bob = Follower::start(&people, "bob", &["messages", "c1"]);
    let mut json = Follower::start(&people, "bob", &["messages", "c1", "--json"]);
    assert_eq!(bob.line(), "(system)  0");
    let first = json.json();

    post_offline(&people, 1..2_201);
    assert_eq!(bob.line(), "-- messages missing here --");
    let line = json.json();
    let next = json.json();
    let gap = json!({"conversation": "c1", "after": first["id"], "before": next["id"]});
    assert_eq!(line, json!({"gap": gap}));
    let oldest: usize = next["plaintext"].as_str().unwrap().parse().unwrap();
    assert!(oldest > 1, "{oldest}");
    let rest: Vec<_> = (oldest + 1..2_201).map(|n| n.to_string()).collect();
    assert_eq!(json.texts(rest.len()), rest);
    assert_eq!(bob.line(), format!("(system)  {oldest}"));
}

#[test]
fn messages_after_a_return_follow_a_gap() {
    let people = People::new();
    post(&people, 0..3);
    let mut bob = Follower::start(&people, "bob", &["messages", "c1", "--json"]);
    assert_eq!(bob.texts(2), ["0", "1"]);
    let last = bob.json();
    people.succeeds("alice", &["participant", "remove", "c1", "bob"]);
    assert_eq!(bob.json(), json!({"removed": "c1", "reason": "left"}));

    post(&people, 3..43);
    people.succeeds("alice", &["participant", "add", "c1", "bob"]);
    let line = bob.json();
    let next = bob.json();
    assert_eq!(next["plaintext"], "13");
    let gap = json!({"conversation": "c1", "after": last["id"], "before": next["id"]});
    assert_eq!(line, json!({"gap": gap}));
    assert_eq!(bob.texts(29).last().unwrap(), "42");
}

#[cfg(unix)]
const CAKES: [&str; 8] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];

/// Removes all conversations from a filtered list while its follower is stopped.
#[cfg(unix)]
fn assert_reasons(is_connection_lost: bool) {
    let people = People::new();
    for id in CAKES {
        people.succeeds("bob", &["conversation", "create", id, "--subject", "Cake"]);
        people.succeeds("bob", &["participant", "add", id, "alice"]);
    }
    let filter = r#"{"subject": ["==", "Cake"]}"#;
    let args = ["conversations", "--json", "--filter", filter];
    let mut alice = Follower::start(&people, "alice", &args);
    for _ in CAKES {
        alice.json();
    }
    alice.signal("-STOP");
    if is_connection_lost {
        block_on(people.emulator.drop_connections()).unwrap();
    }
    let (left, filtered) = CAKES.split_at(4);
    for (left, filtered) in left.iter().zip(filtered) {
        people.succeeds("bob", &["participant", "remove", left, "alice"]);
        people.succeeds(
            "bob",
            &["conversation", "set", filtered, "--subject", "Tea"],
        );
    }
    alice.signal("-CONT");
    let mut removed = CAKES.map(|_| alice.json());
    removed.sort_by_key(|line| line["removed"].to_string());
    let expected = CAKES.map(|id| {
        let reason = if left.contains(&id) {
            "left"
        } else {
            "filtered"
        };
        json!({"removed": id, "reason": reason})
    });
    assert_eq!(removed, expected);
}

#[cfg(unix)]
#[test]
fn conversations_removed_offline_have_their_reasons() {
    assert_reasons(true);
}

#[cfg(unix)]
#[test]
fn conversations_removed_at_once_have_their_reasons() {
    assert_reasons(false);
}
