use futures_util::StreamExt;
use talk_emulator::Emulator;
use talk_tokio::{
    Changes, CommandError, ConversationFilter, ConversationParams, ConversationRef, Error, Session,
    SimpleFilter, StringFilter, TalkOptions, TypingSnapshot, UserParams, get_talk_session,
};

use crate::server::within;

async fn session(emulator: &Emulator, user: &str) -> Session {
    let options = TalkOptions::new("app", user).unwrap().host(emulator.host());
    let session = get_talk_session(options).unwrap();
    let params = UserParams::named(user.to_uppercase());
    within(session.current_user().set(params)).await.unwrap();
    session
}

/// Alice's and Bob's view of a conversation between them.
async fn conversation(emulator: &Emulator) -> (ConversationRef, ConversationRef) {
    let alice = session(emulator, "alice").await;
    let bob = session(emulator, "bob").await;
    let of_alice = alice.conversation("c").unwrap();
    within(async {
        of_alice.create_if_not_exists(Default::default()).await?;
        let participant = of_alice.participant(&bob.current_user())?;
        participant.create_if_not_exists(Default::default()).await
    })
    .await
    .unwrap();
    (of_alice, bob.conversation("c").unwrap())
}

#[tokio::test]
async fn a_stream_shows_what_others_do() {
    let emulator = Emulator::start().await.unwrap();
    let (of_alice, of_bob) = conversation(&emulator).await;
    let mut messages = of_bob.subscribe_messages();
    let first = within(messages.next()).await.unwrap();
    assert_eq!(first.changes, Changes::Reset);
    assert!(first.snapshot.unwrap().is_empty());

    within(of_alice.send("one")).await.unwrap();
    let second = within(messages.next()).await.unwrap();
    let Changes::List(steps) = second.changes else {
        panic!("{:?}", second.changes);
    };
    assert_eq!(steps.inserted, [0]);
    assert_eq!(second.snapshot.unwrap().get(0).unwrap().plaintext(), "one");
}

#[tokio::test]
async fn a_slow_consumer_gets_the_latest_and_how_it_came_to_be() {
    let emulator = Emulator::start().await.unwrap();
    let (of_alice, of_bob) = conversation(&emulator).await;
    within(of_alice.send("old")).await.unwrap();
    let mut messages = of_bob.subscribe_messages();
    within(messages.next()).await.unwrap();

    let first = within(of_alice.send("first")).await.unwrap();
    within(of_alice.send("second")).await.unwrap();
    within(first.delete()).await.unwrap();
    // Bob's own send is answered after all of that has come to him.
    within(of_bob.send("third")).await.unwrap();
    let seen = |messages: &talk_tokio::Subscription<_>| {
        let window: Option<talk_tokio::Window<talk_tokio::MessageSnapshot>> =
            messages.latest().unwrap();
        let texts: Vec<_> = window.unwrap().iter().map(|m| m.plaintext()).collect();
        texts
    };
    within(async {
        while seen(&messages) != ["third", "second", "old"] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let update = within(messages.next()).await.unwrap();
    let Changes::List(steps) = update.changes else {
        panic!("{:?}", update.changes);
    };
    assert_eq!(steps.inserted, [0, 1]);
    assert!(steps.removed.is_empty() && steps.updated.is_empty());
}

#[tokio::test]
async fn more_is_loaded_on_demand() {
    let emulator = Emulator::start().await.unwrap();
    let (of_alice, of_bob) = conversation(&emulator).await;
    for n in 0..35 {
        within(of_alice.send(n.to_string())).await.unwrap();
    }
    let messages = of_bob.subscribe_messages();
    let window = within(messages.connected()).await.unwrap().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (30, false));
    within(messages.load_more(3)).await.unwrap();
    assert_eq!(messages.latest().unwrap().unwrap().len(), 33);
    within(messages.load_more(None)).await.unwrap();
    let window = messages.latest().unwrap().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (35, true));

    let outcome = within(messages.load_more(101)).await;
    let Err(Error::Usage(CommandError::CountOutOfRange { max: 100, .. })) = outcome else {
        panic!("{outcome:?}");
    };
    messages.unsubscribe();
    let outcome = within(messages.load_more(1)).await;
    assert_eq!(outcome, Err(Error::Usage(CommandError::Unknown)));
}

#[tokio::test]
async fn every_kind_of_thing_can_be_looked_at() {
    let emulator = Emulator::start().await.unwrap();
    let (of_alice, of_bob) = conversation(&emulator).await;
    let message = within(of_alice.send("hi")).await.unwrap();
    let rocket = message.reactions("🚀").unwrap();
    within(rocket.add()).await.unwrap();
    within(of_bob.mark_as_typing()).await.unwrap();

    within(async {
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
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn conversations_are_listed_and_more_of_them_loaded() {
    let emulator = Emulator::start().await.unwrap();
    let alice = session(&emulator, "alice").await;
    for n in 0..45 {
        let conversation = alice.conversation(n.to_string()).unwrap();
        within(conversation.create_if_not_exists(Default::default()))
            .await
            .unwrap();
    }

    let conversations = alice.subscribe_conversations(None);
    let window = within(conversations.connected()).await.unwrap();
    assert_eq!((window.len(), window.loaded_all()), (20, false));
    assert_eq!(window.first().unwrap().id.as_str(), "44");
    within(conversations.load_more(3)).await.unwrap();
    assert_eq!(conversations.latest().unwrap().len(), 23);
    within(conversations.load_more(None)).await.unwrap();
    assert_eq!(conversations.latest().unwrap().len(), 43);
    within(conversations.load_more(30)).await.unwrap();
    let window = conversations.latest().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (45, true));
    let outcome = within(conversations.load_more(31)).await;
    let Err(Error::Usage(CommandError::CountOutOfRange { max: 30, .. })) = outcome else {
        panic!("{outcome:?}");
    };

    let nobody = TalkOptions::new("app", "nobody").unwrap();
    let nobody = get_talk_session(nobody.host(emulator.host())).unwrap();
    let conversations = nobody.subscribe_conversations(None);
    let window = within(conversations.connected()).await.unwrap();
    assert!(window.is_empty() && window.loaded_all());
}

#[tokio::test]
async fn conversations_come_and_go_with_what_a_filter_wants() {
    let emulator = Emulator::start().await.unwrap();
    let (of_alice, of_bob) = conversation(&emulator).await;
    let bob = session(&emulator, "bob").await;
    let mut unread = bob.subscribe_conversations(SimpleFilter::new().is_unread(true));
    let first = within(unread.next()).await.unwrap();
    assert_eq!(first.changes, Changes::Reset);
    assert!(first.snapshot.is_empty());
    let about_tea = [
        SimpleFilter::new().subject(StringFilter::is("Tea")),
        SimpleFilter::new().custom("about", StringFilter::is("tea")),
    ];
    let about_tea: ConversationFilter = about_tea.into_iter().collect();
    let mut about_tea = bob.subscribe_conversations(about_tea);
    assert!(within(about_tea.next()).await.unwrap().snapshot.is_empty());

    within(of_alice.send("hi")).await.unwrap();
    let update = within(unread.next()).await.unwrap();
    let Changes::List(steps) = update.changes else {
        panic!("{:?}", update.changes);
    };
    assert_eq!(steps.inserted, [0]);
    let shown = update.snapshot.get(0).unwrap();
    assert_eq!(shown.last_message.as_ref().unwrap().plaintext(), "hi");
    within(of_bob.mark_as_read()).await.unwrap();
    assert!(within(unread.next()).await.unwrap().snapshot.is_empty());

    within(of_alice.set(ConversationParams::default().subject("Tea")))
        .await
        .unwrap();
    assert_eq!(within(about_tea.next()).await.unwrap().snapshot.len(), 1);
}

#[tokio::test]
async fn presence_and_users_are_shown() {
    let emulator = Emulator::start().await.unwrap();
    let alice = session(&emulator, "alice").await;
    let bob = alice.user("bob").unwrap();
    let mut online = bob.subscribe_online();
    assert_eq!(within(online.next()).await.unwrap().snapshot, None);
    let user = bob.subscribe();
    assert_eq!(within(user.connected()).await, Ok(None));

    let of_bob = session(&emulator, "bob").await;
    let is_here = async {
        while let Some(update) = online.next().await {
            if update.snapshot.is_some_and(|bob| bob.is_connected) {
                return true;
            }
        }
        false
    };
    assert!(within(is_here).await);
    within(async {
        while user.latest().unwrap().is_none_or(|bob| bob.name != "BOB") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within(of_bob.shutdown()).await;
}

#[tokio::test]
async fn what_is_shown_is_right_again_after_a_loss() {
    let emulator = Emulator::start().await.unwrap();
    let (of_alice, of_bob) = conversation(&emulator).await;
    let mut messages = of_bob.subscribe_messages();
    within(messages.next()).await.unwrap();
    emulator.drop_connections().await.unwrap();
    within(of_alice.send("meanwhile")).await.unwrap();
    let update = within(messages.next()).await.unwrap();
    let shown = update.snapshot.unwrap();
    assert_eq!(shown.first().unwrap().plaintext(), "meanwhile");
}
