use talk_rest::webhook::{self, EventData, Rejected, SeenEvents};
use talk_rest::{ConversationParams, EditMessage, Secret, UserParams, conversation, user};

use super::world::{SECRET, World};

fn verify(world: &mut World) -> Vec<webhook::Event> {
    let now = world.now;
    let verify = |request: talk_emulator::server::WebhookRequest| {
        webhook::verify(
            &[Secret::from("sk_test_older"), Secret::from(SECRET)],
            Some(request.timestamp.as_bytes()),
            Some(request.signature.as_bytes()),
            request.body.as_bytes(),
            now,
            Some(webhook::DEFAULT_TOLERANCE),
        )
    };
    let requests = world.webhooks();
    requests.into_iter().map(|it| verify(it).unwrap()).collect()
}

#[test]
fn webhooks_of_emulator_are_verified_and_read() {
    let mut world = World::hooked().befriended();
    let mut seen = SeenEvents::new(100);
    let created = verify(&mut world);
    assert_eq!(created.len(), 2);
    assert!(matches!(&created[0].data, EventData::UserCreated(it) if it.user.id == "alice"));

    let order = conversation("order_1").unwrap();
    let first = world.say("alice", "Hi <!!mention:bob|Bob>");
    world.ok(&order
        .participant("bob")
        .unwrap()
        .patch(talk_rest::ParticipantPatch::default().read_until(world.now)));
    world.ok(&order
        .message(&first)
        .unwrap()
        .edit(EditMessage::text("Hello")));
    world.ok(&order.message(&first).unwrap().delete());
    world.ok(&user("bob").unwrap().put(UserParams::named("Bobby")));
    let subject = ConversationParams::default().subject("S");
    world.ok(&order.put(subject));
    world.ok(&order.delete());
    let events = verify(&mut world);
    let mut types: Vec<_> = events
        .iter()
        .map(|event| event.event_type.as_str())
        .collect();
    types.sort_unstable();
    let expected = [
        "conversation.deleted",
        "message.deleted",
        "message.read",
        "message.sent",
        "message.updated",
        "user.updated",
    ];
    assert_eq!(types, expected);
    for event in &events {
        assert!(event.created_at.is_some(), "{event}");
        assert!(event.unknown_fields.is_empty());
        assert!(seen.insert(event));
        assert!(!seen.insert(event), "{event} is a repetition");
        match &event.data {
            EventData::MessageSent(sent) => {
                assert_eq!(sent.sender.as_ref().unwrap().id, "alice");
                assert_eq!(sent.conversation.as_ref().unwrap().id, "order_1");
                assert_eq!(sent.message.id, first);
                assert_eq!(sent.mentioned_user_ids, ["bob"]);
            }
            EventData::MessageRead(read) => assert_eq!(read.recipient.id, "bob"),
            EventData::MessageUpdated(it) => assert_eq!(it.message.text.as_deref(), Some("Hello")),
            EventData::MessageDeleted(it) => assert_eq!(it.message.id, first),
            EventData::ConversationDeleted(it) => assert_eq!(it.conversation.id, "order_1"),
            EventData::UserUpdated(it) => assert_eq!(it.user.name, "Bobby"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn webhook_of_other_key_is_rejected() {
    let mut world = World::hooked().befriended();
    let request = world.webhooks().remove(0);
    let mut headers = http::HeaderMap::new();
    let timestamp = request.timestamp.parse().unwrap();
    headers.insert(webhook::TIMESTAMP_HEADER, timestamp);
    let verify = |headers: &http::HeaderMap, key: &str| {
        let keys = [Secret::from(key)];
        webhook::verify_headers(&keys, headers, request.body.as_bytes(), world.now, None)
    };
    let name = webhook::SIGNATURE_HEADER;
    let missing = verify(&headers, SECRET);
    assert_eq!(missing, Err(Rejected::MissingHeader { name }));
    headers.insert(name, request.signature.parse().unwrap());
    assert!(verify(&headers, SECRET).is_ok());
    assert_eq!(
        verify(&headers, "sk_test_other"),
        Err(Rejected::WrongSignature)
    );
}
