//! Typing.

use talk_tokio::{ConversationRef, TypingSnapshot};

use super::support::{Town, ok, say, shown};

/// Adds seven users to Alice's conversation.
async fn crowd(town: &Town) -> Vec<ConversationRef> {
    let mut crowd = Vec::new();
    for n in 0..7 {
        let person = town.person(&format!("user{n}")).await;
        let conversation = person.conversation("c").unwrap();
        ok(conversation.create_if_not_exists(Default::default())).await;
        crowd.push(conversation);
    }
    crowd
}

fn few(seen: &Option<TypingSnapshot>) -> Option<Vec<String>> {
    match seen {
        Some(TypingSnapshot::Few(users)) => Some(
            users
                .iter()
                .map(|user| user.id.as_str().to_owned())
                .collect(),
        ),
        _ => None,
    }
}

#[tokio::test]
async fn typing_lists_five_and_six_are_many() {
    let (town, pair) = Town::with_pair().await;
    let crowd = crowd(&town).await;
    let mut typing = pair.alice.subscribe_typing();
    shown(&mut typing, |seen| {
        few(seen).is_some_and(|users| users.is_empty())
    })
    .await;
    let mut expected = Vec::new();
    for person in &crowd[..5] {
        ok(person.mark_as_typing()).await;
        expected.push(format!("user{}", expected.len()));
        shown(&mut typing, |seen| few(seen).as_ref() == Some(&expected)).await;
    }
    let is_many = |seen: &Option<TypingSnapshot>| *seen == Some(TypingSnapshot::Many);
    ok(crowd[5].mark_as_typing()).await;
    shown(&mut typing, is_many).await;

    // Between 6, 7 and 6 typing users, the snapshot does not change. The next update is the drop to
    // five.
    ok(crowd[6].mark_as_typing()).await;
    say(&crowd[6], "done").await;
    say(&crowd[0], "done").await;
    let next = shown(&mut typing, |_| true).await;
    assert_eq!(
        few(&next).unwrap(),
        ["user1", "user2", "user3", "user4", "user5"]
    );
}

#[tokio::test]
async fn typing_omits_own_user() {
    let (town, pair) = Town::with_pair().await;
    let crowd = crowd(&town).await;
    let mut typing = pair.alice.subscribe_typing();
    shown(&mut typing, Option::is_some).await;
    ok(pair.alice.mark_as_typing()).await;
    for person in &crowd[..5] {
        ok(person.mark_as_typing()).await;
    }
    let five = |seen: &Option<TypingSnapshot>| few(seen).is_some_and(|users| users.len() == 5);
    let seen = shown(&mut typing, five).await;
    assert!(!few(&seen).unwrap().contains(&"alice".to_owned()));
    let of_bob = pair.bob.subscribe_typing();
    assert_eq!(ok(of_bob.connected()).await, Some(TypingSnapshot::Many));
}
