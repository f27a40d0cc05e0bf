//! Getters of snapshots.

use std::sync::Arc;

use serde_json::json;
use talk_proto::{Call, Event, Reply, Snapshot, Topic, Window, model::MessageSnapshot};

use crate::support::{Answer, World, conversation, data, mark_as_read, message, options, unpaced};

fn messages_of(world: &mut World) -> Window<MessageSnapshot> {
    world.subscribe(Topic::Messages {
        conversation: conversation("c1"),
    });
    world.run();
    let events = world.log.events.iter();
    let mut shown = events.filter_map(|(_, event)| match event {
        Event::Updated { update, .. } => Some(update.snapshot.clone()),
        _ => None,
    });
    match shown.next_back() {
        Some(Snapshot::Messages(Some(messages))) => messages,
        other => panic!("{other:?}"),
    }
}

#[test]
fn message_has_sender_quote_and_reactions() {
    let mut world = World::new(unpaced());
    world.script.add(|request| {
        let reaction = |at: u64, count: u64| {
            json!({"createdAt": at, "count": count, "currentUserReacted": count == 2})
        };
        let reactions = json!({"b": reaction(2, 1), "a": reaction(1, 2)});
        let mut reply = data::message("m2", 2);
        reply["referencedMessageId"] = json!("m1");
        reply["reactions"] = reactions.clone();
        let mut quoted = data::message("m1", 1);
        quoted["senderId"] = json!("ann");
        quoted["reactions"] = reactions;
        let body = match request.line().as_str() {
            "GET /me/conversations/c1/messages" => json!({"data": [reply], "cursor": null}),
            "GET /me/conversations/c1/messages/m1" => quoted,
            _ => return None,
        };
        Some(Answer::Reply(200, body))
    });
    let messages = messages_of(&mut world);
    let reply = messages.first().unwrap();
    assert_eq!(reply.id, "m2");
    assert_eq!(reply.plaintext(), "text of m2");
    assert_eq!(reply.sender.as_ref().unwrap().name, "Name of bob");
    let quote = reply.referenced_message.as_ref().unwrap();
    assert_eq!(quote.id, "m1");
    assert_eq!(quote.sender.as_ref().unwrap().name, "Name of ann");
    let mut counts = Vec::new();
    for (emoji, count) in &reply.reactions {
        counts.push((emoji.as_str(), count.count));
    }
    assert_eq!(counts, [("a", 2), ("b", 1)]);
    for reactions in [reply.reactions.summaries(), quote.reactions.summaries()] {
        let [first, second] = reactions.as_slice() else {
            panic!("{reactions:?}");
        };
        assert_eq!((first.emoji.as_str(), first.count), ("a", 2));
        assert!(first.current_user_reacted);
        assert_eq!((second.emoji.as_str(), second.count), ("b", 1));
        assert!(!second.current_user_reacted);
    }
}

#[test]
fn window_returns_its_items() {
    let mut world = World::new(unpaced());
    let messages = messages_of(&mut world);
    assert_eq!(messages.len(), 3);
    assert!(!messages.is_empty());
    assert!(messages.loaded_all());
    assert!(Arc::ptr_eq(
        messages.first().unwrap(),
        messages.get(0).unwrap()
    ));
    assert_eq!(messages.get(2).unwrap().id, "m1");
    assert!(messages.get(3).is_none());
    let mut world = World::new(unpaced());
    world.script.add(|request| {
        let is_asked = request.line() == "GET /me/conversations/c1/messages";
        is_asked.then(|| Answer::Reply(200, json!({"data": [], "cursor": null})))
    });
    assert!(messages_of(&mut world).is_empty());
}

#[test]
fn conversation_has_fields_of_the_viewer() {
    let mut world = World::new(unpaced());
    let request = world.call(Call::GetConversation {
        conversation: conversation("c1"),
    });
    world.run();
    let Ok(Reply::Conversation(Some(shown))) = world.outcome(request) else {
        panic!("{:?}", world.outcome(request));
    };
    assert_eq!(shown.id, "c1");
    assert_eq!(shown.last_message.as_ref().unwrap().id, message("m3"));
}

#[test]
fn session_returns_its_options() {
    let mut given = options();
    given.limits.window = 77;
    let mut world = World::new(given.clone());
    world.call(mark_as_read("c1"));
    world.run();
    let told = world.session.options();
    assert_eq!(told.user_id, given.user_id);
    assert_eq!(told.limits.window, 77);
    assert_eq!(told.addresses, given.addresses);
}
