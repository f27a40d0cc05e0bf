//! Search. The core's own tests cover paging and cancellation in virtual time.

use futures_util::StreamExt;
use talk_tokio::{
    ContentBlock, ConversationFilter, ConversationParams, ConversationRef, SearchStatus,
    SendMessage, Session, SimpleFilter, StringFilter,
};

use super::support::{Town, add, ok, say, within};

async fn titled(session: &Session, id: &str, subject: &str) -> ConversationRef {
    let conversation = session.conversation(id).unwrap();
    ok(conversation.set(ConversationParams::default().subject(subject))).await;
    conversation
}

async fn found_messages(session: &Session, query: &str) -> Vec<String> {
    let search = session.search_messages();
    let page = ok(search.set_query(query, ConversationFilter::default())).await;
    page.results
        .iter()
        .map(|found| found.message.plaintext())
        .collect()
}

async fn found_conversations(session: &Session, query: &str) -> Vec<String> {
    let search = session.search_conversations();
    let page = ok(search.set_query(query, ConversationFilter::default())).await;
    let ids = page
        .results
        .iter()
        .map(|found| found.id.as_str().to_owned());
    ids.collect()
}

#[tokio::test]
async fn search_loads_three_then_ten_by_default() {
    let (_town, pair) = Town::with_pair().await;
    for n in 0..20 {
        say(&pair.alice, &format!("word {n}")).await;
    }
    let search = pair.of_alice.search_messages();
    let query = || search.set_query("word", ConversationFilter::default());
    let page = ok(query()).await;
    assert_eq!((page.results.len(), page.loaded_all), (3, false));
    assert_eq!(
        page.results[0].message.plaintext(),
        "word 19",
        "newest first"
    );
    assert_eq!(page.results[0].conversation.id.as_str(), "c");
    let page = ok(search.load_more(None)).await;
    assert_eq!((page.results.len(), page.loaded_all), (13, false));
    let page = ok(search.load_more(50)).await;
    assert_eq!((page.results.len(), page.loaded_all), (20, true));
    assert_eq!(ok(query()).await.results.len(), 3, "a query starts anew");
}

#[tokio::test]
async fn search_stream_reports_results_and_more() {
    let (_town, pair) = Town::with_pair().await;
    for _ in 0..4 {
        say(&pair.alice, "word").await;
    }
    let mut search = pair.of_alice.search_messages();
    ok(search.set_query("word", ConversationFilter::default())).await;
    let update = within(search.next()).await.unwrap();
    assert_eq!(
        (update.results.len(), update.status),
        (3, SearchStatus::CanLoadMore)
    );
    ok(search.load_more(None)).await;
    let update = within(search.next()).await.unwrap();
    assert_eq!(
        (update.results.len(), update.status),
        (4, SearchStatus::LoadedAll)
    );
}

#[tokio::test]
async fn search_covers_own_conversations_only() {
    let (town, pair) = Town::with_pair().await;
    say(&pair.alice, "secret").await;
    let carol = town.person("carol").await;
    assert_eq!(found_messages(&carol, "secret").await, [] as [&str; 0]);
    add(&pair.alice, "carol").await;
    assert_eq!(found_messages(&carol, "secret").await, ["secret"]);
}

#[tokio::test]
async fn search_filter_narrows_conversations() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    for (id, subject) in [("c1", "Work"), ("c2", "Family")] {
        say(&titled(&alice, id, subject).await, id).await;
    }
    let filter = SimpleFilter::new().subject(StringFilter::is("Work"));
    let search = alice.search_messages();
    let page = ok(search.set_query("c", filter)).await;
    let texts: Vec<_> = page
        .results
        .iter()
        .map(|it| it.message.plaintext())
        .collect();
    assert_eq!(texts, ["c1"]);
}

#[tokio::test]
async fn search_matches_prefixes_of_words() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "Look at (the) moon!").await;
    let all = ["Look at (the) moon!"];
    let alice = &pair.of_alice;
    for query in ["look", "MOO", "moon, look", "th", "the!", "look look"] {
        assert_eq!(found_messages(alice, query).await, all, "{query}");
    }
    for query in ["oon", "look stars", "look-at"] {
        assert_eq!(
            found_messages(alice, query).await,
            [] as [&str; 0],
            "{query}"
        );
    }
}

#[tokio::test]
async fn search_punctuation_within_word_counts() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "look-at").await;
    let alice = &pair.of_alice;
    assert_eq!(found_messages(alice, "look-").await, ["look-at"]);
    assert_eq!(found_messages(alice, "at").await, [] as [&str; 0]);
}

#[tokio::test]
async fn search_never_finds_files() {
    let (_town, pair) = Town::with_pair().await;
    let token = ok(pair.of_alice.upload_file(vec![1], "report.txt")).await;
    let file = SendMessage::content([ContentBlock::file(token.as_str())]);
    ok(pair.alice.send(file)).await;
    assert_eq!(
        found_messages(&pair.of_alice, "report").await,
        [] as [&str; 0]
    );
}

#[tokio::test]
async fn search_conversations_matches_one_field() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    titled(&alice, "c1", "Summer holidays").await;
    let c2 = titled(&alice, "c2", "Work").await;
    let mut params = ConversationParams::default();
    let key = ("search".to_owned(), Some("Office summer".to_owned()));
    params.custom = talk_tokio::Patch::Set([key].into());
    ok(c2.set(params)).await;
    assert_eq!(found_conversations(&alice, "holi summ").await, ["c1"]);
    assert_eq!(found_conversations(&alice, "office").await, ["c2"]);
    let mut both = found_conversations(&alice, "summer").await;
    both.sort();
    assert_eq!(both, ["c1", "c2"]);
    let none: [&str; 0] = [];
    assert_eq!(found_conversations(&alice, "work office").await, none);
}

#[tokio::test]
async fn search_superseded_query_returns_partial_results() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "two").await;
    let search = pair.of_alice.search_messages();
    let filter = ConversationFilter::default;
    let (first, second) = within(async {
        tokio::join!(
            search.set_query("one", filter()),
            search.set_query("two", filter())
        )
    })
    .await;
    assert!(!first.unwrap().loaded_all);
    assert_eq!(second.unwrap().results.len(), 1);
}
