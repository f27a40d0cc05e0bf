//! Snapshots are immutable.

use serde_json::{Value, json};
use talk_proto::{Event, Snapshot};

use super::chat::Chat;

fn kept(chat: &Chat) -> Vec<(Snapshot, Value)> {
    let events = chat.world.log.events.iter();
    let snapshots = events.filter_map(|(_, event)| match event {
        Event::Updated { update, .. } => Some(update.snapshot.clone()),
        _ => None,
    });
    let with_json = |snapshot: Snapshot| {
        let json = serde_json::to_value(&snapshot).unwrap();
        (snapshot, json)
    };
    snapshots.map(with_json).collect()
}

/// Complaint: a snapshot changes while the application holds it.
#[test]
fn kept_snapshot_does_not_change() {
    let (mut chat, subscription) = Chat::shown(40);
    let before = kept(&chat);
    let of = |kind: &str, id: &str, members: Value| {
        let mut event = json!({"type": kind, "conversationId": "c1", "messageId": id});
        let (event_members, members) = (event.as_object_mut(), members.as_object().cloned());
        event_members.unwrap().extend(members.unwrap());
        event
    };
    let diff = json!({"diff": {"custom": {"a": "b"}, "editedAt": 9}});
    chat.world.publish(&[
        of("message.edited", "m39", diff),
        of("message.deleted", "m38", json!({})),
        json!({"type": "user.edited", "userId": "bob", "diff": {"name": "Robert"}}),
    ]);
    chat.post(41);
    chat.world.load_more(subscription, Some(10)).unwrap();
    chat.world.run();
    assert_eq!(chat.updates(subscription).len(), 4);
    for (snapshot, json) in before {
        assert_eq!(serde_json::to_value(&snapshot).unwrap(), json);
    }
    let now = kept(&chat).pop().unwrap().1;
    assert_eq!(now[0]["sender"]["name"], "Robert");
}
