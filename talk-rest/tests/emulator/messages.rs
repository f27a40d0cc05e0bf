use talk_rest::{
    ContentBlock, EditMessage, ImportedMessage, InvalidCall, MessageKeys, MessageType, NewMessage,
    Origin, RetrySafety, TextNode, Timestamp, conversation, put_users,
};

use super::world::{World, id};

#[test]
fn messages_are_sent_read_edited_and_deleted() {
    let mut world = World::of_friends();
    let order = conversation("order_1").unwrap();
    let first = world.say("alice", "Is it *still* available?");
    let text = ContentBlock::text([TextNode::text("Yes")]);
    let replies = [
        NewMessage::content(Some(id("bob")), text)
            .replying_to(first.clone())
            .custom("k", "v"),
        NewMessage::system("Payment received"),
        NewMessage::location(id("alice"), 51.44, 5.48),
    ];
    let sent = world.ok(&order.send(replies).unwrap());
    assert_eq!(sent.len(), 3);

    let read = world.ok(&order.message(&first).unwrap().get());
    assert_eq!(read.conversation_id.as_ref(), Some(order.id()));
    assert_eq!(read.sender_id, Some(id("alice")));
    assert_eq!(read.origin, Some(Origin::Rest));
    assert_eq!(read.text.as_deref(), Some("Is it *still* available?"));
    assert_eq!(read.content.unwrap().len(), 1);
    assert!(read.unknown_fields.is_empty(), "{:?}", read.unknown_fields);
    let read = world.ok(&order.message(&sent[0].id).unwrap().get());
    assert_eq!(read.referenced_message_id, Some(first.clone()));
    assert_eq!(read.custom.get("k"), Some("v"));
    assert_eq!(read.text.as_deref(), Some("Yes"));
    let read = world.ok(&order.message(&sent[1].id).unwrap().get());
    assert_eq!(read.message_type, MessageType::SystemMessage);
    assert_eq!(read.sender_id, None);
    let read = world.ok(&order.message(&sent[2].id).unwrap().get());
    assert_eq!(read.location, Some((51.44, 5.48)));

    let message = order.message(&first).unwrap();
    world.ok(&message.edit(EditMessage::text("Is it *gone*?").custom("seen", "1")));
    let read = world.ok(&message.get());
    assert_eq!(read.text.as_deref(), Some("Is it *gone*?"));
    assert!(read.edited_at >= Some(world.now));
    assert_eq!(read.custom.get("seen"), Some("1"));
    let block = ContentBlock::text([TextNode::text("plain")]);
    world.ok(&message.edit(EditMessage::content(block)));
    assert_eq!(world.ok(&message.get()).text.as_deref(), Some("plain"));

    world.ok(&message.delete());
    let error = world.call(&message.get()).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let page = world.ok(&order.messages().limit(100).call().unwrap());
    let ids: Vec<_> = page.iter().map(|message| message.id.clone()).collect();
    assert_eq!(ids.len(), 3);
    assert!(!ids.contains(&first));
}

#[test]
fn idempotency_key_prevents_second_message() {
    let mut world = World::of_friends();
    let order = conversation("order_1").unwrap();
    let given = NewMessage::system("given").idempotency_key("mine");
    let mut call = order.send([NewMessage::system("once"), given]).unwrap();
    assert_eq!(call.retry_safety(), RetrySafety::MayDuplicate);
    let mut keys = MessageKeys::new(1);
    call.fill_keys(&mut keys, world.now);
    assert_eq!(call.retry_safety(), RetrySafety::Safe);
    let sent = world.ok(&call);
    let filled = call.clone();
    call.fill_keys(&mut keys, world.now);
    assert_eq!(world.ok(&call), sent, "keys are filled once");
    assert_eq!(world.ok(&filled), sent);
    assert_eq!(world.ok(&order.messages().call().unwrap()).len(), 2);
}

#[test]
fn send_takes_one_to_ten_messages() {
    let order = conversation("order_1").unwrap();
    let send = |count: usize| {
        let messages = (0..count).map(|i| NewMessage::system(i.to_string()));
        order.send(messages).err()
    };
    for (count, is_valid) in [(0, false), (1, true), (10, true), (11, false)] {
        assert_eq!(send(count).is_none(), is_valid, "{count}");
    }
    let (items, max) = ("users", 100);
    let invalid = put_users([]).unwrap_err();
    assert_eq!(
        invalid,
        InvalidCall::Count {
            items,
            count: 0,
            max
        }
    );
}

#[test]
fn reactions_are_added_listed_and_removed() {
    let mut world = World::of_friends();
    let first = world.say("alice", "Hi");
    let message = conversation("order_1").unwrap().message(first).unwrap();
    for user in ["bob", "alice", "bob"] {
        world.ok(&message.react("👍", user).unwrap());
    }
    let reactors = world.ok(&message.reactions("👍").unwrap().call().unwrap());
    assert!(
        reactors
            .iter()
            .map(|it| it.user_id.as_str())
            .eq(["bob", "alice"])
    );
    let read = world.ok(&message.get());
    assert_eq!(read.reactions["👍"].count, Some(2));
    assert!(read.reactions["👍"].created_at.is_some());
    for _ in 0..2 {
        world.ok(&message.remove_reaction("👍", "bob").unwrap());
    }
    assert_eq!(world.ok(&message.get()).reactions["👍"].count, Some(1));
}

#[test]
fn import_is_split_into_chunks() {
    let mut world = World::of_friends();
    let order = conversation("order_1").unwrap();
    let old = |i: i64| {
        let at = Timestamp::from_millis(1_509_132_622_706 + i);
        ImportedMessage::user(id("alice"), i.to_string(), at)
            .read_by([id("bob")])
            .custom("i", "1")
    };
    let calls: Vec<_> = order.import((0..205).map(old)).calls().unwrap().collect();
    assert_eq!(calls.len(), 3);
    assert!(
        calls
            .iter()
            .all(|call| call.retry_safety() == RetrySafety::MayDuplicate)
    );
    let ids: Vec<_> = calls.iter().map(|call| world.ok(call).len()).collect();
    assert_eq!(ids, [100, 100, 5]);
    let newest = world.ok(&order.messages().limit(1).call().unwrap());
    assert_eq!(newest[0].text.as_deref(), Some("204"));
    assert_eq!(newest[0].origin, Some(Origin::Import));
    assert_eq!(newest[0].read_by, ["bob"]);

    let import = |size| order.import([old(1)]).chunk_size(size).calls().err();
    let max = 1000;
    assert_eq!(import(0), Some(InvalidCall::ChunkSize { size: 0, max }));
    assert_eq!(
        import(1001),
        Some(InvalidCall::ChunkSize { size: 1001, max })
    );
    assert_eq!(
        order
            .import([old(1), old(2)])
            .chunk_size(1)
            .calls()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(order.import([]).calls().unwrap().len(), 0);
}
