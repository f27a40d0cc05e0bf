//! ReactionsRef.

use talk_tokio::MessageRef;

use super::support::{Town, assert_refused, ok, say};

async fn emoji_on(message: &MessageRef) -> Vec<(String, u64, bool)> {
    let seen = ok(message.get()).await.unwrap();
    let summary = |reaction: talk_tokio::ReactionsSummary| {
        let emoji = reaction.emoji.as_str().to_owned();
        (emoji, reaction.count, reaction.current_user_reacted)
    };
    seen.reactions
        .summaries()
        .into_iter()
        .map(summary)
        .collect()
}

#[tokio::test]
async fn add_repeated_reaction_is_ignored() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let rocket = message.reactions("🚀").unwrap();
    ok(rocket.add()).await;
    ok(rocket.add()).await;
    assert_eq!(emoji_on(&message).await, [("🚀".to_owned(), 1, true)]);
}

#[tokio::test]
async fn remove_absent_reaction_is_ignored() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let rocket = message.reactions("🚀").unwrap();
    ok(rocket.remove()).await;
    ok(rocket.add()).await;
    ok(rocket.remove()).await;
    assert_eq!(emoji_on(&message).await, []);
    ok(message.delete()).await;
    ok(rocket.remove()).await;
}

#[tokio::test]
async fn add_to_absent_message_is_rejected() {
    let (_town, pair) = Town::with_pair().await;
    let absent = pair.alice.message("msg_nowhere").unwrap();
    let rocket = absent.reactions("🚀").unwrap();
    assert_refused(rocket.add(), 404, "MESSAGE_NOT_FOUND").await;
}

#[tokio::test]
async fn add_and_remove_without_permission_are_rejected() {
    let (town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let rocket = message.reactions("🚀").unwrap();
    ok(rocket.add()).await;
    town.set(|settings| {
        let role = settings.roles.entry("default".to_owned()).or_default();
        role.react = false;
    })
    .await;
    assert_refused(rocket.add(), 403, "FORBIDDEN_BY_ROLE").await;
    assert_refused(rocket.remove(), 403, "FORBIDDEN_BY_ROLE").await;
}

#[tokio::test]
async fn get_first_reactions_returns_oldest_ten() {
    let (town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let mut expected = Vec::new();
    for n in 0..12 {
        let id = format!("user{n}");
        let person = town.person(&id).await.conversation("c").unwrap();
        ok(person.create_if_not_exists(Default::default())).await;
        let message = person.message(message.id()).unwrap();
        ok(message.reactions("🚀").unwrap().add()).await;
        expected.push(id);
    }
    let first = ok(message.reactions("🚀").unwrap().get_first_reactions()).await;
    let first: Vec<_> = first
        .unwrap()
        .iter()
        .map(|reaction| reaction.user.id.as_str().to_owned())
        .collect();
    assert_eq!(first, expected[..10]);
}

#[tokio::test]
async fn get_first_reactions_absent_message_is_null() {
    let (town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let absent = pair.alice.message("msg_nowhere").unwrap();
    let first = absent.reactions("🚀").unwrap().get_first_reactions();
    assert_eq!(ok(first).await, None);
    let carol = town.person("carol").await.conversation("c").unwrap();
    let hidden = carol.message(message.id()).unwrap();
    let first = hidden.reactions("🚀").unwrap().get_first_reactions();
    assert_eq!(ok(first).await, None);
    let first = message.reactions("🚀").unwrap().get_first_reactions();
    assert_eq!(ok(first).await, Some(Vec::new()));
}

#[tokio::test]
async fn custom_emoji_has_up_to_50_characters() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let name = |length: usize| format!(":{}:", "x".repeat(length - 2));
    ok(message.reactions(name(50)).unwrap().add()).await;
    let long = message.reactions(name(51)).unwrap();
    assert_refused(long.add(), 400, "INVALID_EMOJI").await;
}

#[tokio::test]
async fn emoji_is_stored_fully_qualified() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    ok(message.reactions("👍\u{FE0F}").unwrap().add()).await;
    ok(message.reactions("❤").unwrap().add()).await;
    let stored: Vec<_> = emoji_on(&message)
        .await
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(stored, ["👍", "❤\u{FE0F}"]);
}

#[tokio::test]
async fn reaction_summary_is_ordered_by_first_use() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    for emoji in ["🚀", "👍", ":cat:"] {
        ok(message.reactions(emoji).unwrap().add()).await;
    }
    let of_bob = pair.bob.message(message.id()).unwrap();
    ok(of_bob.reactions("👍").unwrap().add()).await;
    ok(message.reactions("🚀").unwrap().remove()).await;
    ok(message.reactions("🚀").unwrap().add()).await;
    let expected = [(":cat:", 1, true), ("🚀", 1, true)].map(|(e, n, me)| (e.to_owned(), n, me));
    let seen = emoji_on(&message).await;
    assert_eq!(seen[0], ("👍".to_owned(), 2, true));
    assert_eq!(seen[1..], expected);
    assert!(
        !emoji_on(&of_bob).await[1].2,
        "it is made for who receives it"
    );
}
