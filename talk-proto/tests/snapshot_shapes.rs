//! The JSON of every snapshot: the documented members in camelCase, and `null` where documented.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use insta::assert_json_snapshot;
use serde_json::{Value, json};
use talk_proto::{
    Call, Event, Reply, Snapshot, Topic,
    filter::ConversationFilter,
    search::{SearchKind, SearchStatus},
};

use crate::support::{Answer, World, conversation, message, unpaced, user};

/// A server with answers to `GET` requests by path, which a test adds.
struct Server {
    world: World,
}

impl Server {
    /// Creates a server with the users alice with all attributes and bob with only a name.
    fn new() -> Self {
        let mut world = World::new(unpaced());
        world.script.add(|request| {
            let ids = request.data["ids"].as_array()?;
            let users = ids.iter().filter_map(Value::as_str);
            let known = users.filter_map(|id| Some((id.to_owned(), known_user(id)?)));
            (request.line() == "GET /users").then(|| Answer::Reply(200, known.collect()))
        });
        Self { world }
    }

    fn with(mut self, path: &'static str, body: Value) -> Self {
        self.world.script.add(move |request| {
            let is_asked = request.method == "GET" && request.path == path;
            is_asked.then(|| Answer::Reply(200, body.clone()))
        });
        self
    }

    fn without(mut self, path: &'static str, code: &'static str) -> Self {
        self.world.script.add(move |request| {
            let is_asked = request.method == "GET" && request.path == path;
            is_asked.then(|| Answer::refuse(404, code))
        });
        self
    }

    /// Adds messages to the conversation `c`.
    fn with_messages(self, messages: &[Value]) -> Self {
        self.with("/me/conversations/c/messages", page(messages))
    }

    /// Returns the first snapshot of a topic.
    fn shows(mut self, topic: Topic) -> Snapshot {
        self.world.subscribe(topic);
        self.world.run();
        let shown = |(_, event): &(_, Event)| match event {
            Event::Updated { update, .. } => Some(update.snapshot.clone()),
            _ => None,
        };
        let events = self.world.log.events.iter();
        events.rev().find_map(shown).expect("a snapshot")
    }

    /// Returns the only message of `c`.
    fn shows_message(self, message: Value) -> Value {
        let messages = self.with_messages(&[message]).shows(messages());
        serde_json::to_value(messages).unwrap()[0].take()
    }
}

fn messages() -> Topic {
    Topic::Messages {
        conversation: conversation("c"),
    }
}

fn page(items: &[Value]) -> Value {
    json!({"data": items, "cursor": null})
}

fn known_user(id: &str) -> Option<Value> {
    match id {
        "alice" => Some(json!({
            "id": "alice", "name": "Alice", "custom": {"team": "blue"}, "locale": "nl-NL",
            "photoUrl": "https://example.com/alice.png", "role": "admin",
            "welcomeMessage": "Ask me anything",
        })),
        "bob" => Some(json!({
            "id": "bob", "name": "Bob", "custom": {}, "locale": null, "photoUrl": null,
            "role": "default", "welcomeMessage": null,
        })),
        _ => None,
    }
}

/// Returns a conversation with all attributes.
fn full_side() -> Value {
    json!({
        "id": "c", "subject": "Plans", "photoUrl": "https://example.com/c.png",
        "welcomeMessages": ["Hello", "Be kind"], "custom": {"topic": "travel"}, "createdAt": 1,
        "joinedAt": 2, "lastMessageAt": 30, "unreadMessageCount": 3, "isUnread": true,
        "readUntil": 20, "everyoneReadUntil": 10, "access": "Read", "notify": "MentionsOnly",
    })
}

/// Returns a conversation without attributes and messages.
fn bare_side() -> Value {
    json!({
        "id": "c", "subject": null, "photoUrl": null, "welcomeMessages": [], "custom": {},
        "createdAt": 1, "joinedAt": 2, "lastMessageAt": 2, "unreadMessageCount": 0,
        "isUnread": false, "readUntil": 2, "everyoneReadUntil": 2, "access": "ReadWrite",
        "notify": true,
    })
}

/// Returns a message by bob with this content.
fn message_of(content: Value) -> Value {
    json!({
        "id": "msg_1", "type": "UserMessage", "senderId": "bob", "custom": {}, "createdAt": 30,
        "editedAt": null, "referencedMessageId": null, "origin": "rest", "content": content,
        "reactions": {},
    })
}

fn message_of_text(id: &str, text: &str) -> Value {
    let mut message = message_of(json!([{"type": "text", "children": [text]}]));
    message["id"] = json!(id);
    message
}

#[test]
fn user_snapshots() {
    let topic = |id| Topic::User { user: user(id) };
    assert_json_snapshot!("user_full", Server::new().shows(topic("alice")));
    assert_json_snapshot!("user_bare", Server::new().shows(topic("bob")));
    assert_json_snapshot!("user_absent", Server::new().shows(topic("nobody")));
}

#[test]
fn user_online() {
    let topic = |id| Topic::Online { user: user(id) };
    let online = Server::new().with("/users/bob/online", json!({"isConnected": true}));
    assert_json_snapshot!("online", online.shows(topic("bob")));
    let nobody = Server::new().without("/users/nobody/online", "USER_NOT_FOUND");
    assert_json_snapshot!("online_absent", nobody.shows(topic("nobody")));
}

#[test]
fn conversation_snapshots() {
    let topic = || Topic::Conversation {
        conversation: conversation("c"),
    };
    let full = Server::new().with("/me/conversations/c", full_side());
    let full = full.with_messages(&[message_of_text("msg_1", "hi")]);
    assert_json_snapshot!("conversation_full", full.shows(topic()));
    let bare = Server::new().with("/me/conversations/c", bare_side());
    assert_json_snapshot!("conversation_bare", bare.with_messages(&[]).shows(topic()));
    let absent = Server::new().without("/me/conversations/c", "CONVERSATION_NOT_FOUND");
    let absent = absent.without("/me/conversations/c/messages", "CONVERSATION_NOT_FOUND");
    assert_json_snapshot!("conversation_absent", absent.shows(topic()));
}

#[test]
fn conversation_list_snapshots() {
    let mut other = bare_side();
    other["id"] = json!("d");
    let server = Server::new()
        .with("/me/conversations", page(&[full_side(), other]))
        .with_messages(&[message_of_text("msg_1", "hi")])
        .with("/me/conversations/d/messages", page(&[]));
    let topic = Topic::Conversations { filter: None };
    assert_json_snapshot!("conversations", server.shows(topic));
    let nobody = Server::new().without("/me/conversations", "USER_NOT_FOUND");
    let topic = Topic::Conversations { filter: None };
    assert_json_snapshot!("conversations_of_nobody", nobody.shows(topic));
}

#[test]
fn participant_snapshots() {
    let full = json!({"id": "alice", "access": "Read", "notify": "MentionsOnly", "joinedAt": 5});
    let bare = json!({"id": "bob", "access": "ReadWrite", "notify": false, "joinedAt": 4});
    let topic = |id| Topic::Participant {
        conversation: conversation("c"),
        user: user(id),
    };
    let path = "/me/conversations/c/participants/alice";
    let server = Server::new().with(path, full.clone());
    assert_json_snapshot!("participant", server.shows(topic("alice")));
    let server = Server::new().without(path, "PARTICIPANT_NOT_FOUND");
    assert_json_snapshot!("participant_absent", server.shows(topic("alice")));

    let path = "/me/conversations/c/participants";
    let list = || Topic::Participants {
        conversation: conversation("c"),
    };
    let server = Server::new().with(path, page(&[full, bare]));
    assert_json_snapshot!("participants", server.shows(list()));
    let server = Server::new().without(path, "CONVERSATION_NOT_FOUND");
    assert_json_snapshot!("participants_absent", server.shows(list()));
}

#[test]
fn message_snapshot_with_all_members() {
    let mut quoted = message_of_text("msg_0", "shall we?");
    quoted["senderId"] = json!("alice");
    quoted["referencedMessageId"] = json!("msg_before");
    quoted["createdAt"] = json!(20);
    let mut reply = message_of_text("msg_1", "yes");
    reply["custom"] = json!({"mood": "good"});
    reply["editedAt"] = json!(40);
    reply["referencedMessageId"] = json!("msg_0");
    reply["origin"] = json!("web");
    reply["reactions"] = json!({
        "👍": {"createdAt": 33, "count": 2, "currentUserReacted": true},
        ":cat:": {"createdAt": 32, "count": 1, "currentUserReacted": false},
    });
    let server = Server::new().with("/me/conversations/c/messages/msg_0", quoted);
    assert_json_snapshot!("message_full", server.shows_message(reply));
}

#[test]
fn message_snapshot_with_required_members() {
    let bare = message_of_text("msg_1", "hi");
    assert_json_snapshot!("message_bare", Server::new().shows_message(bare));

    let mut system = message_of_text("msg_1", "Bob has joined");
    system["type"] = json!("SystemMessage");
    system["senderId"] = Value::Null;
    assert_json_snapshot!("message_of_the_system", Server::new().shows_message(system));

    let mut reply = message_of_text("msg_1", "yes");
    reply["referencedMessageId"] = json!("msg_gone");
    let path = "/me/conversations/c/messages/msg_gone";
    let server = Server::new().without(path, "MESSAGE_NOT_FOUND");
    assert_json_snapshot!("message_whose_quote_is_gone", server.shows_message(reply));
}

/// The text contains every known node. Lower-case spellings on the wire become camelCase.
#[test]
fn message_snapshots_of_text() {
    let content = json!([{"type": "text", "children": [
        "plain ",
        {"type": "bold", "children": ["bold ", {"type": "italic", "children": ["and italic"]}]},
        {"type": "strikethrough", "children": ["struck"]},
        {"type": "bulletlist", "children": [{"type": "bulletpoint", "children": ["point"]}]},
        {"type": "codespan", "text": "code"},
        {"type": "link", "url": "https://example.com", "children": ["a link"]},
        {"type": "autolink", "url": "https://example.com", "text": "example.com"},
        {"type": "customemoji", "text": ":cat:"},
        {"type": "mention", "id": "bob", "text": "Bob"},
        {"type": "actionlink", "action": "open", "params": {"id": "1"}, "children": ["Open"]},
        {"type": "actionbutton", "action": "buy", "params": {}, "children": ["Buy"]},
    ]}]);
    let shown = Server::new().shows_message(message_of(content));
    assert_json_snapshot!("message_of_text", shown);
}

#[test]
fn message_snapshots_of_files() {
    let file = |members: Value| {
        let mut file = json!({"type": "file", "fileToken": "token", "size": 1234,
            "url": "https://files.example.com/f", "filename": "f"});
        for (name, value) in members.as_object().unwrap() {
            file[name] = value.clone();
        }
        file
    };
    let content = json!([
        file(json!({})),
        file(json!({"subtype": "image", "width": 640, "height": 480})),
        file(json!({"subtype": "video", "width": 640, "height": 480, "duration": 2.5})),
        file(json!({"subtype": "audio", "duration": 3})),
        file(json!({"subtype": "voice", "duration": 4})),
        file(json!({"subtype": "image"})),
    ]);
    let shown = Server::new().shows_message(message_of(content));
    assert_json_snapshot!("message_of_files", shown);
}

#[test]
fn message_snapshot_of_location() {
    let content = json!([{"type": "location", "latitude": 52.37, "longitude": -4}]);
    let shown = Server::new().shows_message(message_of(content));
    assert_json_snapshot!("message_of_a_place", shown);
}

#[test]
fn message_snapshot_of_later_version() {
    let mut message = message_of(json!([
        {"type": "poll", "question": "Tea?", "options": ["yes", "no"]},
        {"type": "text", "children": [
            {"type": "blockquote", "children": ["said"]},
            {"type": "emoji", "text": "🙂"},
            {"type": "bold", "children": ["strong"], "weight": 700},
        ]},
        {"type": "file", "subtype": "hologram", "fileToken": "token", "depth": 3},
    ]));
    message["type"] = json!("BotMessage");
    message["origin"] = json!("pigeon");
    let shown = Server::new().shows_message(message);
    assert_json_snapshot!("message_of_unknown_things", shown);
}

#[test]
fn message_list_snapshots() {
    let newest = message_of_text("msg_2", "second");
    let server = Server::new().with_messages(&[newest, message_of_text("msg_1", "first")]);
    assert_json_snapshot!("messages", server.shows(messages()));
    let path = "/me/conversations/c/messages";
    let absent = Server::new().without(path, "CONVERSATION_NOT_FOUND");
    assert_json_snapshot!("messages_absent", absent.shows(messages()));
}

#[test]
fn reactions() {
    let topic = || Topic::Reactions {
        conversation: conversation("c"),
        message: message("msg_1"),
        emoji: ":cat:".try_into().unwrap(),
    };
    let path = "/me/conversations/c/messages/msg_1/reactions/%3Acat%3A";
    let given = [
        json!({"userId": "bob", "createdAt": 31}),
        json!({"userId": "alice", "createdAt": 32}),
    ];
    let server = Server::new().with(path, page(&given));
    assert_json_snapshot!("reactions", server.shows(topic()));
    let server = Server::new().without(path, "MESSAGE_NOT_FOUND");
    assert_json_snapshot!("reactions_absent", server.shows(topic()));
}

#[test]
fn typing_users() {
    let topic = || Topic::Typing {
        conversation: conversation("c"),
    };
    let path = "/me/conversations/c/typing";
    let few = json!({"many": false, "usersTyping": {"bob": 50}});
    assert_json_snapshot!("typing_few", Server::new().with(path, few).shows(topic()));
    let nobody = json!({"many": false, "usersTyping": {}});
    assert_json_snapshot!(
        "typing_nobody",
        Server::new().with(path, nobody).shows(topic())
    );
    let many = json!({"many": true});
    assert_json_snapshot!("typing_many", Server::new().with(path, many).shows(topic()));
    let absent = Server::new().without(path, "CONVERSATION_NOT_FOUND");
    assert_json_snapshot!("typing_absent", absent.shows(topic()));
}

/// Returns the result of a search whose response is this one line.
fn found(kind: SearchKind, line: &Value) -> Reply {
    let mut server = Server::new()
        .with("/me/conversations/c", bare_side())
        .with_messages(&[]);
    let world = &mut server.world;
    world.script.hold_http("/search?");
    let search = world.start_search(kind);
    let request = world.set_query(search, "hi", &ConversationFilter::default());
    world.run();
    let body = format!("{{\"data\":[\n{line}\n]}}");
    world.http_answer(world.last_http(), 200, &body);
    world.outcome(request).clone().unwrap()
}

#[test]
fn search_results() {
    let mut message = message_of_text("msg_1", "hi");
    message["conversationId"] = json!("c");
    for (name, kind, line) in [
        ("found_messages", SearchKind::Messages, message),
        (
            "found_conversations",
            SearchKind::Conversations,
            bare_side(),
        ),
    ] {
        let Reply::Searched { results, .. } = found(kind, &line) else {
            unreachable!("a search is answered with what it found");
        };
        assert_json_snapshot!(name, results);
    }
    let statuses = [
        SearchStatus::Searching,
        SearchStatus::CanLoadMore,
        SearchStatus::LoadedAll,
    ];
    assert_json_snapshot!("search_statuses", statuses);
}

#[test]
fn translation_reply() {
    let translated = json!([{"type": "text", "children": ["hola"]}]);
    let body = json!({"data": {"msg_1": {"content": translated}}});
    let mut server = Server::new().with("/me/conversations/c/translate", body);
    let request = server.world.call(Call::TranslateMessage {
        conversation: conversation("c"),
        message: message("msg_1"),
        language: "es".to_owned(),
    });
    server.world.run();
    let Ok(Reply::Translation(translation)) = server.world.outcome(request) else {
        unreachable!("a translation is answered with one");
    };
    assert_json_snapshot!("translation", translation);
}
