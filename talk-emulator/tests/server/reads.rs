//! Typed reads and recorded requests.

use std::time::Duration;

use talk_emulator::server::{ConnectionId, Seed, Server, Settings};
use talk_proto::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn server() -> Server {
    Server::new(Settings::default(), 1, NOW)
}

fn lobby() -> Seed {
    Seed::new("app")
        .user("alice", "Alice")
        .user("bob", "Bob")
        .conversation("lobby", ["alice", "bob"])
        .message_ago(2, "lobby", "alice", "*Hi*")
        .message_ago(1, "lobby", "bob", "Hello")
}

#[test]
fn users_are_read_by_id() {
    let mut server = server();
    assert_eq!(server.users("app"), []);
    server.seed(NOW, &lobby()).unwrap();
    let users: Vec<_> = server
        .users("app")
        .into_iter()
        .map(|user| user.name)
        .collect();
    assert_eq!(users, ["Alice", "Bob"]);
    assert_eq!(server.user("app", "bob").unwrap().role, "default");
    assert_eq!(server.user("app", "nobody"), None);
}

#[test]
fn conversations_show_every_participant() {
    let mut seed = lobby();
    seed.conversations[0].subject = Some("Lobby".to_owned());
    seed.conversations[0]
        .custom
        .insert("k".to_owned(), "v".to_owned());
    let mut server = server();
    server.seed(NOW, &seed).unwrap();
    let lobby = server.conversation("app", "lobby").unwrap();
    assert_eq!(lobby.subject.as_deref(), Some("Lobby"));
    assert_eq!(lobby.custom.get("k"), Some("v"));
    let users: Vec<_> = lobby
        .participants
        .iter()
        .map(|it| it.user_id.as_str())
        .collect();
    assert_eq!(users, ["alice", "bob"]);
    let alice = lobby.participant("alice").unwrap();
    assert_eq!((alice.unread_message_count, alice.is_unread), (1, true));
    let bob = lobby.participant("bob").unwrap();
    assert_eq!((bob.unread_message_count, bob.is_unread), (0, false));
    assert_eq!(server.conversations("app"), [lobby]);
    assert_eq!(server.conversation("app", "other"), None);
}

#[test]
fn messages_are_read_oldest_first() {
    let mut server = server();
    server.seed(NOW, &lobby()).unwrap();
    let messages = server.messages("app", "lobby");
    let texts: Vec<_> = messages.iter().map(|message| message.plaintext()).collect();
    assert_eq!(texts, ["Hi", "Hello"]);
    assert_eq!(messages[1].sender.as_ref().unwrap().name, "Bob");
    assert_eq!(messages[1].created_at, NOW - Duration::from_secs(60));
    assert_eq!(server.messages("app", "other"), []);
    assert_eq!(server.messages("other", "lobby"), []);
}

#[test]
fn seed_message_without_conversation_is_refused() {
    let error = server().seed(NOW, &Seed::new("app").message("lobby", "alice", "Hi"));
    assert_eq!(error.unwrap_err().entry, "conversation \"lobby\"");
}

#[test]
fn received_requests_keep_the_latest() {
    let mut server = server();
    server.record_requests(2);
    server.open(NOW, ConnectionId(1), "app", "alice");
    for (seq, path) in ["/session/renew", "/users/alice", "/ping"]
        .iter()
        .enumerate()
    {
        let frame = format!(r#"[{seq},"POST","{path}",{{"name":"secret"}},{{}}]"#);
        server.handle_frame(NOW, ConnectionId(1), &frame);
    }
    let requests: Vec<_> = server.received_requests().collect();
    let paths: Vec<_> = requests.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["/users/alice", "/ping"]);
    let request = requests[0];
    assert_eq!(
        (&*request.app, request.user.as_deref()),
        ("app", Some("alice"))
    );
    assert_eq!(request.data.as_deref(), Some(r#"{"name":"secret"}"#));
    assert!(!format!("{request:?}").contains("secret"));
}

#[test]
fn received_requests_are_off_by_default() {
    let mut server = server();
    server.open(NOW, ConnectionId(1), "app", "alice");
    server.handle_frame(NOW, ConnectionId(1), r#"[0,"POST","/session/renew",{},{}]"#);
    assert_eq!(server.received_requests().count(), 0);
}
