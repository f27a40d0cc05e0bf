use futures_util::StreamExt;
use talk_client::{
    Changes, CommandError, ConversationFilter, ConversationParams, ConversationRef, Error,
    MessageSnapshot, Session, SimpleFilter, StringFilter, Subscription, TalkOptions,
    TypingSnapshot, UserParams, Window,
};
use talk_emulator::Emulator;

use crate::adapters::adapter::{Adapter, yield_now};
use crate::adapters::server::start_emulator;

async fn session<A: Adapter>(emulator: &Emulator, user: &str) -> Session {
    let options = TalkOptions::new("app", user).unwrap().host(emulator.host());
    let session = A::session(options);
    let params = UserParams::named(user.to_uppercase());
    session.current_user().set(params).await.unwrap();
    session
}

/// Returns Alice's and Bob's view of a conversation between them.
async fn conversation<A: Adapter>(emulator: &Emulator) -> (ConversationRef, ConversationRef) {
    let alice = session::<A>(emulator, "alice").await;
    let bob = session::<A>(emulator, "bob").await;
    let of_alice = alice.conversation("c").unwrap();
    async {
        of_alice.create_if_not_exists(Default::default()).await?;
        let participant = of_alice.participant(bob.current_user())?;
        participant.create_if_not_exists(Default::default()).await
    }
    .await
    .unwrap();
    (of_alice, bob.conversation("c").unwrap())
}

async fn subscription_stream_shows_changes_of_others<A: Adapter>() {
    let emulator = start_emulator().await;
    let (of_alice, of_bob) = conversation::<A>(&emulator).await;
    let mut messages = of_bob.subscribe_messages();
    let first = messages.next().await.unwrap();
    assert_eq!(first.changes, Changes::Reset);
    assert!(first.snapshot.unwrap().is_empty());

    of_alice.send("one").await.unwrap();
    let second = messages.next().await.unwrap();
    let Changes::List(steps) = second.changes else {
        panic!("{:?}", second.changes);
    };
    assert_eq!(steps.inserted, [0]);
    assert_eq!(second.snapshot.unwrap().get(0).unwrap().plaintext(), "one");
}

async fn slow_consumer_gets_latest_with_all_changes<A: Adapter>() {
    let emulator = start_emulator().await;
    let (of_alice, of_bob) = conversation::<A>(&emulator).await;
    of_alice.send("old").await.unwrap();
    let mut messages = of_bob.subscribe_messages();
    messages.next().await.unwrap();

    let first = of_alice.send("first").await.unwrap();
    of_alice.send("second").await.unwrap();
    first.delete().await.unwrap();
    // The answer to Bob's own send arrives after all earlier events.
    of_bob.send("third").await.unwrap();
    let seen = |messages: &Subscription<_>| {
        let window: Option<Window<MessageSnapshot>> = messages.latest().unwrap();
        let texts: Vec<_> = window.unwrap().iter().map(|m| m.plaintext()).collect();
        texts
    };
    while seen(&messages) != ["third", "second", "old"] {
        yield_now().await;
    }
    let update = messages.next().await.unwrap();
    let Changes::List(steps) = update.changes else {
        panic!("{:?}", update.changes);
    };
    assert_eq!(steps.inserted, [0, 1]);
    assert!(steps.removed.is_empty() && steps.updated.is_empty());
}

async fn load_more_widens_the_window<A: Adapter>() {
    let emulator = start_emulator().await;
    let (of_alice, of_bob) = conversation::<A>(&emulator).await;
    for n in 0..35 {
        of_alice.send(n.to_string()).await.unwrap();
    }
    let messages = of_bob.subscribe_messages();
    let window = messages.connected().await.unwrap().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (30, false));
    messages.load_more(3).await.unwrap();
    assert_eq!(messages.latest().unwrap().unwrap().len(), 33);
    messages.load_more(None).await.unwrap();
    let window = messages.latest().unwrap().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (35, true));

    let outcome = messages.load_more(101).await;
    let Err(Error::Usage(CommandError::CountOutOfRange { max: 100, .. })) = outcome else {
        panic!("{outcome:?}");
    };
    messages.unsubscribe();
    let outcome = messages.load_more(1).await;
    assert_eq!(outcome, Err(Error::Usage(CommandError::Unsubscribed)));
}

async fn every_kind_of_entity_can_be_subscribed<A: Adapter>() {
    let emulator = start_emulator().await;
    let (of_alice, of_bob) = conversation::<A>(&emulator).await;
    let message = of_alice.send("hi").await.unwrap();
    let rocket = message.reactions("🚀").unwrap();
    rocket.add().await.unwrap();
    of_bob.mark_as_typing().await.unwrap();

    async {
        let conversation = of_alice.subscribe();
        let shown = conversation.connected().await?.unwrap();
        assert_eq!(shown.last_message.as_ref().unwrap().id, *message.id());

        let participants = of_alice.subscribe_participants();
        let shown = participants.connected().await?.unwrap();
        let names: Vec<_> = shown.iter().map(|p| p.user.name.as_str()).collect();
        assert_eq!(names, ["BOB", "ALICE"]);

        let bob = of_alice.participant("bob")?.subscribe();
        assert_eq!(bob.connected().await?.unwrap().user.name, "BOB");

        let typing = of_alice.subscribe_typing();
        let Some(TypingSnapshot::Few(users)) = typing.connected().await? else {
            panic!("{:?}", typing.state());
        };
        assert_eq!(users[0].name, "BOB");

        let rockets = rocket.subscribe();
        let shown = rockets.connected().await?.unwrap();
        assert_eq!(shown.first().unwrap().user.name, "ALICE");
        Ok::<_, Error>(())
    }
    .await
    .unwrap();
}

async fn conversation_list_loads_more<A: Adapter>() {
    let emulator = start_emulator().await;
    let alice = session::<A>(&emulator, "alice").await;
    for n in 0..45 {
        let conversation = alice.conversation(n.to_string()).unwrap();
        conversation
            .create_if_not_exists(Default::default())
            .await
            .unwrap();
    }

    let conversations = alice.subscribe_conversations(None);
    let window = conversations.connected().await.unwrap();
    assert_eq!((window.len(), window.loaded_all()), (20, false));
    assert_eq!(window.first().unwrap().id.as_str(), "44");
    conversations.load_more(3).await.unwrap();
    assert_eq!(conversations.latest().unwrap().len(), 23);
    conversations.load_more(None).await.unwrap();
    assert_eq!(conversations.latest().unwrap().len(), 43);
    conversations.load_more(30).await.unwrap();
    let window = conversations.latest().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (45, true));
    let outcome = conversations.load_more(31).await;
    let Err(Error::Usage(CommandError::CountOutOfRange { max: 30, .. })) = outcome else {
        panic!("{outcome:?}");
    };

    let nobody = TalkOptions::new("app", "nobody").unwrap();
    let nobody = A::session(nobody.host(emulator.host()));
    let conversations = nobody.subscribe_conversations(None);
    let window = conversations.connected().await.unwrap();
    assert!(window.is_empty() && window.loaded_all());
}

async fn filtered_list_follows_matches<A: Adapter>() {
    let emulator = start_emulator().await;
    let (of_alice, of_bob) = conversation::<A>(&emulator).await;
    let bob = session::<A>(&emulator, "bob").await;
    let mut unread = bob.subscribe_conversations(SimpleFilter::new().is_unread(true));
    let first = unread.next().await.unwrap();
    assert_eq!(first.changes, Changes::Reset);
    assert!(first.snapshot.is_empty());
    let about_tea = [
        SimpleFilter::new().subject(StringFilter::is("Tea")),
        SimpleFilter::new().custom("about", StringFilter::is("tea")),
    ];
    let about_tea: ConversationFilter = about_tea.into_iter().collect();
    let mut about_tea = bob.subscribe_conversations(about_tea);
    assert!(about_tea.next().await.unwrap().snapshot.is_empty());

    of_alice.send("hi").await.unwrap();
    let update = unread.next().await.unwrap();
    let Changes::List(steps) = update.changes else {
        panic!("{:?}", update.changes);
    };
    assert_eq!(steps.inserted, [0]);
    let shown = update.snapshot.get(0).unwrap();
    assert_eq!(shown.last_message.as_ref().unwrap().plaintext(), "hi");
    of_bob.mark_as_read().await.unwrap();
    assert!(unread.next().await.unwrap().snapshot.is_empty());

    of_alice
        .set(ConversationParams::default().subject("Tea"))
        .await
        .unwrap();
    assert_eq!(about_tea.next().await.unwrap().snapshot.len(), 1);
}

async fn presence_and_users_are_shown<A: Adapter>() {
    let emulator = start_emulator().await;
    let alice = session::<A>(&emulator, "alice").await;
    let bob = alice.user("bob").unwrap();
    let mut online = bob.subscribe_online();
    assert_eq!(online.next().await.unwrap().snapshot, None);
    let user = bob.subscribe();
    assert_eq!(user.connected().await, Ok(None));

    let of_bob = session::<A>(&emulator, "bob").await;
    let is_here = async {
        while let Some(update) = online.next().await {
            if update.snapshot.is_some_and(|bob| bob.is_connected) {
                return true;
            }
        }
        false
    };
    assert!(is_here.await);
    while user.latest().unwrap().is_none_or(|bob| bob.name != "BOB") {
        yield_now().await;
    }
    of_bob.shutdown().await;
}

async fn subscription_after_loss_is_current<A: Adapter>() {
    let emulator = start_emulator().await;
    let (of_alice, of_bob) = conversation::<A>(&emulator).await;
    let mut messages = of_bob.subscribe_messages();
    messages.next().await.unwrap();
    emulator.drop_connections().await.unwrap();
    of_alice.send("meanwhile").await.unwrap();
    let update = messages.next().await.unwrap();
    let shown = update.snapshot.unwrap();
    assert_eq!(shown.first().unwrap().plaintext(), "meanwhile");
}

on_every_runtime!(
    subscription_stream_shows_changes_of_others,
    slow_consumer_gets_latest_with_all_changes,
    load_more_widens_the_window,
    every_kind_of_entity_can_be_subscribed,
    conversation_list_loads_more,
    filtered_list_follows_matches,
    presence_and_users_are_shown,
    subscription_after_loss_is_current,
);
