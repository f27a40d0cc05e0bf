use talk_rest::model::Access;
use talk_rest::{
    ConversationParams, Notify, ParticipantParams, ParticipantPatch, Patch, ReadUntil, UserId,
    conversation, user,
};

use super::world::{World, id};

fn conversation_of(world: &mut World) -> talk_rest::model::Conversation {
    world.ok(&conversation("order_1").unwrap().get())
}

#[test]
fn conversation_is_created_updated_read_and_deleted() {
    let mut world = World::of_friends();
    let order = conversation("order_1").unwrap();
    let params = ConversationParams::default()
        .subject("Order 1")
        .photo_url("https://example.com/o.png")
        .welcome_messages(vec!["Welcome".to_owned()])
        .custom("orderId", "1");
    world.ok(&order.put(params));
    world.say("alice", "Hi");
    let read = conversation_of(&mut world);
    assert_eq!(read.subject.as_deref(), Some("Order 1"));
    assert_eq!(read.photo_url.as_deref(), Some("https://example.com/o.png"));
    assert_eq!(read.welcome_messages, ["Welcome"]);
    assert_eq!(read.custom.get("orderId"), Some("1"));
    assert!(
        read.participants
            .keys()
            .eq(&["alice", "bob"].map(id::<UserId>))
    );
    let bob = &read.participants[&id::<UserId>("bob")];
    assert_eq!(bob.access, Some(Access::ReadWrite));
    assert_eq!(bob.is_unread, Some(true));
    let last = read.last_message.unwrap();
    assert_eq!(last.text.as_deref(), Some("Hi"));
    assert!(read.everyone_read_until.is_some());
    assert!(read.unknown_fields.is_empty(), "{:?}", read.unknown_fields);

    world.ok(&order.put(ConversationParams::default().subject(Patch::Reset)));
    assert_eq!(conversation_of(&mut world).subject, None);
    world.ok(&order.delete());
    assert!(world.call(&order.get()).unwrap_err().is_not_found());
    assert!(world.call(&order.delete()).unwrap_err().is_not_found());
}

#[test]
fn participant_is_put_patched_and_removed() {
    let mut world = World::of_friends();
    let order = conversation("order_1").unwrap();
    let bob = order.participant("bob").unwrap();
    let settings = |world: &mut World| {
        let mut read = conversation_of(world);
        let bob = read.participants.remove("bob")?;
        Some((bob.access?, bob.notify?))
    };
    let params = ParticipantParams::default()
        .access(Access::Read)
        .notify(Notify::MentionsOnly);
    world.ok(&bob.put(params));
    assert_eq!(
        settings(&mut world),
        Some((Access::Read, Notify::MentionsOnly))
    );
    let patch = ParticipantPatch::default().access(Access::ReadWrite);
    world.ok(&bob.patch(patch));
    assert_eq!(
        settings(&mut world),
        Some((Access::ReadWrite, Notify::MentionsOnly))
    );
    world.ok(&bob.put(ParticipantParams::default()));
    assert_eq!(
        settings(&mut world),
        Some((Access::ReadWrite, Notify::Always))
    );
    world.ok(&bob.patch(ParticipantPatch::default().access(Access::None)));
    assert_eq!(settings(&mut world), None);
    world.ok(&bob.delete());
    world.ok(&bob.delete());
    let patch = bob.patch(ParticipantPatch::default().notify(Notify::Never));
    assert_eq!(
        world.refused(&patch),
        (404, Some("PARTICIPANT_NOT_FOUND".into()))
    );
}

#[test]
fn read_position_is_set_in_three_ways() {
    let mut world = World::of_friends();
    let order = conversation("order_1").unwrap();
    let unread = |world: &mut World| {
        let list = user("bob").unwrap().conversations().call().unwrap();
        let read = world.ok(&list);
        (read[0].unread_message_count, read[0].is_unread)
    };
    let first = {
        world.say("alice", "one");
        world.now
    };
    world.wait(1000);
    world.say("alice", "two");
    assert_eq!(unread(&mut world), (Some(2), Some(true)));
    let patch = ParticipantPatch::default().read_until(first);
    world.ok(&order.participant("bob").unwrap().patch(patch));
    assert_eq!(unread(&mut world), (Some(1), Some(true)));
    let unread_list = user("bob")
        .unwrap()
        .conversations()
        .unread()
        .call()
        .unwrap();
    assert_eq!(world.ok(&unread_list).len(), 1);
    world.ok(&user("bob")
        .unwrap()
        .read_until("order_1", ReadUntil::All)
        .unwrap());
    assert_eq!(unread(&mut world), (Some(0), Some(false)));
    assert_eq!(world.ok(&unread_list).len(), 0);
    world.ok(&user("bob").unwrap().read_until("order_1", first).unwrap());
    assert_eq!(unread(&mut world).0, Some(1));
    world.ok(&order.read_by("bob").unwrap());
    assert_eq!(unread(&mut world).0, Some(0));
}
