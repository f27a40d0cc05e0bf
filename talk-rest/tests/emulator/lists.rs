use talk_rest::{
    ConversationParams, CustomFilter, Direction, InvalidCall, List, ListItem, OrderBy,
    SimpleFilter, StringFilter, UserParams, conversation, conversations, put_users, user, users,
};

use super::world::{World, id};

/// Reads all pages, and returns their lengths and the items.
fn all<T: ListItem>(world: &mut World, list: List<T>) -> (Vec<usize>, Vec<T>) {
    let mut pages = list.pages().unwrap();
    let (mut lengths, mut items) = (Vec::new(), Vec::new());
    while let Some(call) = pages.next() {
        let again = pages.next().unwrap();
        assert_eq!(format!("{call:?}"), format!("{again:?}"));
        let page = world.ok(&call);
        pages.received(&page);
        lengths.push(page.len());
        items.extend(page);
    }
    (lengths, items)
}

#[test]
fn pages_end_with_short_page() {
    let mut world = World::of_friends();
    for i in 0..7 {
        world.say("alice", &i.to_string());
    }
    let messages = conversation("order_1").unwrap().messages();
    let (lengths, items) = all(&mut world, messages.clone().limit(3));
    assert_eq!(lengths, [3, 3, 1]);
    let texts = items.iter().map(|it| it.text.as_deref().unwrap());
    assert!(texts.eq(["6", "5", "4", "3", "2", "1", "0"]));
    let (lengths, _) = all(&mut world, messages.clone().limit(7));
    assert_eq!(lengths, [7, 0]);
    let (lengths, _) = all(&mut world, messages);
    assert_eq!(lengths, [7]);
}

#[test]
fn users_are_listed_in_pages() {
    let mut world = World::new();
    for group in 0..3 {
        let of = |i| {
            (
                format!("u{group}_{i}").try_into().unwrap(),
                UserParams::named("U"),
            )
        };
        world.ok(&put_users((0..50).map(of)).unwrap());
    }
    let (lengths, items) = all(&mut world, users());
    assert_eq!(lengths, [100, 50]);
    let ids: std::collections::BTreeSet<_> = items.into_iter().map(|user| user.id).collect();
    assert_eq!(ids.len(), 150);
}

#[test]
fn limits_are_checked() {
    let limit = |limit| users().limit(limit).call().err();
    assert_eq!(limit(0), Some(InvalidCall::Limit { limit: 0, max: 100 }));
    assert_eq!(limit(100), None);
    assert_eq!(
        limit(101),
        Some(InvalidCall::Limit {
            limit: 101,
            max: 100
        })
    );
    let limit = |limit| conversations().limit(limit).pages().err();
    assert_eq!(limit(30), None);
    assert_eq!(limit(31), Some(InvalidCall::Limit { limit: 31, max: 30 }));
}

#[test]
fn conversations_are_ordered_and_filtered() {
    let mut world = World::of_friends();
    let created = world.now;
    for (conversation_id, state) in [("c1", "open"), ("c2", "done"), ("c3", "open")] {
        world.wait(1000);
        let params = ConversationParams::of([id("alice")]).custom("state", state);
        world.ok(&conversation(conversation_id).unwrap().put(params));
    }
    let ids = |world: &mut World, list: List<_>| -> Vec<String> {
        let page = world.ok(&list.call().unwrap());
        let ids = page
            .into_iter()
            .map(|it: talk_rest::model::Conversation| it.id);
        ids.map(String::from).collect()
    };
    let all = ids(&mut world, conversations());
    assert_eq!(all, ["c3", "c2", "c1", "order_1"]);
    let oldest = conversations().order(OrderBy::CreatedAt, Direction::Ascending);
    assert_eq!(ids(&mut world, oldest.clone())[0], "order_1");
    assert_eq!(ids(&mut world, oldest.offset(created)), ["c1", "c2", "c3"]);
    let not_done = CustomFilter::Value(StringFilter::none_of(["done"]));
    let filter = SimpleFilter::new().custom("state", not_done).into();
    let open = ids(&mut world, conversations().filter(&filter));
    assert_eq!(open, ["c3", "c1", "order_1"]);
    let of_bob = user("bob").unwrap().conversations();
    assert_eq!(ids(&mut world, of_bob), ["order_1"]);

    world.say("alice", "Hi");
    let sent = world.now;
    let after = |time| conversations().last_message_after(time);
    let before = |time| conversations().last_message_before(time);
    assert_eq!(ids(&mut world, after(created)), ["order_1"]);
    assert_eq!(ids(&mut world, after(sent)), [""; 0]);
    assert_eq!(ids(&mut world, before(sent)), [""; 0]);
    let page = conversations().limit(1).starting_after("order_1");
    assert_eq!(ids(&mut world, page), ["c3"]);
}
