use futures_util::StreamExt;
use talk_client::{
    CommandError, ConversationParams, ConversationRef, Error, SearchStatus, Session, TalkOptions,
    UserParams,
};
use talk_emulator::Emulator;
use tokio::join;

use crate::adapters::adapter::Adapter;
use crate::adapters::server::start_emulator;

async fn session<A: Adapter>(emulator: &Emulator) -> Session {
    let options = TalkOptions::new("app", "alice").unwrap();
    let session = A::session(options.host(emulator.host()));
    let alice = UserParams::named("Alice");
    session.current_user().set(alice).await.unwrap();
    session
}

async fn conversation(session: &Session, id: &str, subject: &str) -> ConversationRef {
    let conversation = session.conversation(id).unwrap();
    let params = ConversationParams::default().subject(subject);
    conversation.set(params).await.unwrap();
    conversation
}

async fn search_finds_sent_messages_by_page<A: Adapter>() {
    let emulator = start_emulator().await;
    let session = session::<A>(&emulator).await;
    let conversation = conversation(&session, "c", "Plans").await;
    for n in 0..20 {
        let text = format!("apple & pear/{n}");
        conversation.send(text.as_str()).await.unwrap();
        conversation.send("something else").await.unwrap();
    }
    let search = session.search_messages();
    let query = search.set_query("PEAR APPLE", None);
    let first = query.await.unwrap();
    assert_eq!(first.results.len(), 3);
    assert!(!first.loaded_all);
    assert_eq!(first.results[0].message.plaintext(), "apple & pear/19");
    assert_eq!(first.results[0].conversation.id.as_str(), "c");

    let second = search.load_more(None).await.unwrap();
    assert_eq!((second.results.len(), second.loaded_all), (13, false));
    let third = search.load_more(50).await.unwrap();
    assert_eq!((third.results.len(), third.loaded_all), (20, true));
    let texts: Vec<_> = third
        .results
        .iter()
        .map(|f| f.message.plaintext())
        .collect();
    let expected: Vec<_> = (0..20).rev().map(|n| format!("apple & pear/{n}")).collect();
    assert_eq!(texts, expected);
}

async fn search_stream_reports_status<A: Adapter>() {
    let emulator = start_emulator().await;
    let session = session::<A>(&emulator).await;
    conversation(&session, "c1", "Holidays in May").await;
    conversation(&session, "c2", "Work").await;
    let mut search = session.search_conversations();
    let query = search.set_query("holi", None);
    let page = query.await.unwrap();
    assert_eq!(page.results[0].id.as_str(), "c1");
    let update = search.next().await.unwrap();
    assert_eq!(update.results, page.results);
    assert_eq!(update.status, SearchStatus::LoadedAll);

    let query = search.set_query("nothing like it", None);
    assert!(query.await.unwrap().results.is_empty());
    let update = search.next().await.unwrap();
    assert!(update.results.is_empty());
}

async fn search_new_query_resolves_previous<A: Adapter>() {
    let emulator = start_emulator().await;
    let session = session::<A>(&emulator).await;
    conversation(&session, "c1", "Holidays").await;
    let search = session.search_conversations();
    let (first, second) = join!(
        search.set_query("work", None),
        search.set_query("holidays", None),
    );
    assert!(!first.unwrap().loaded_all);
    assert_eq!(second.unwrap().results.len(), 1);
}

async fn search_misuse_and_end_are_errors<A: Adapter>() {
    let emulator = start_emulator().await;
    let session = session::<A>(&emulator).await;
    let mut search = session.search_messages();
    let misuse = search.load_more(51).await.unwrap_err();
    let out_of_range = CommandError::CountOutOfRange { given: 51, max: 50 };
    assert_eq!(misuse, Error::Usage(out_of_range));
    session.shutdown().await;
    let late = search.set_query("x", None).await;
    assert!(matches!(late, Err(Error::Session(_))), "{late:?}");
    assert!(search.next().await.is_none());
}

on_every_runtime!(
    search_finds_sent_messages_by_page,
    search_stream_reports_status,
    search_new_query_resolves_previous,
    search_misuse_and_end_are_errors,
);
