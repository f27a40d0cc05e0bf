//! Bad input: a typed error, returned by the call itself where the documented API throws. Later
//! calls must work.

use std::fmt::Debug;
use std::future::Future;

use talk_tokio::{
    CommandError, ContentBlock, ConversationFilter, EditMessage, EmptyId, Error, NumberFilter,
    SendMessage, SimpleFilter, StringFilter, TalkOptions, TextNode, UploadMetadata, UserParams,
};

use super::support::{Town, assert_refused, ok, say, within};

async fn assert_out_of_range<T: Debug>(
    call: impl Future<Output = Result<T, Error>>,
    given: usize,
    max: usize,
) {
    let outcome = within(call).await.map(drop);
    let expected = CommandError::CountOutOfRange { given, max };
    assert_eq!(outcome, Err(Error::Usage(expected)));
}

#[test]
fn empty_ids_fail_at_the_call() {
    let what = |error: EmptyId| error.to_string();
    let options = |app: &str, user: &str| TalkOptions::new(app, user).map(drop).map_err(what);
    assert_eq!(
        options("", "alice").unwrap_err(),
        "the app ID must not be empty"
    );
    assert_eq!(
        options("app", "").unwrap_err(),
        "the user ID must not be empty"
    );
    let message = talk_tokio::MessageId::try_from("").map_err(what);
    assert_eq!(message.unwrap_err(), "the message ID must not be empty");
}

/// The documentation requires no other validation of IDs. They reach the server unchanged.
#[tokio::test]
async fn ids_of_any_text_work() {
    let town = Town::new().await;
    for id in [
        " ",
        "a/b?c#d",
        "%2F",
        "..",
        "ünï 😀",
        "a\nb",
        "\"",
        "__proto__",
    ] {
        let alice = town.person(id).await;
        let conversation = alice.conversation(id).unwrap();
        ok(conversation.create_if_not_exists(Default::default())).await;
        say(&conversation, "hi").await;
        let seen = ok(conversation.get()).await.unwrap();
        assert_eq!(seen.id, id);
        let last = seen.last_message.as_ref().unwrap();
        assert_eq!(last.sender.as_ref().unwrap().id, id);
    }
}

#[tokio::test]
async fn load_more_count_is_limited_per_list() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let messages = pair.alice.subscribe_messages();
    let participants = pair.alice.subscribe_participants();
    let reactions = message.reactions("👍").unwrap().subscribe();
    ok(messages.connected()).await;
    ok(participants.connected()).await;
    ok(reactions.connected()).await;
    for given in [0, 101, usize::MAX] {
        assert_out_of_range(messages.load_more(given), given, 100).await;
        assert_out_of_range(reactions.load_more(given), given, 100).await;
    }
    for given in [0, 51] {
        assert_out_of_range(participants.load_more(given), given, 50).await;
    }
    for most in [1, 100] {
        ok(messages.load_more(most)).await;
        ok(reactions.load_more(most)).await;
    }
    ok(participants.load_more(50)).await;

    let conversations = pair.of_alice.subscribe_conversations(None);
    ok(conversations.connected()).await;
    for given in [0, 31] {
        assert_out_of_range(conversations.load_more(given), given, 30).await;
    }
    ok(conversations.load_more(30)).await;
}

#[tokio::test]
async fn search_page_has_1_to_50_results() {
    let (_town, pair) = Town::with_pair().await;
    let messages = pair.of_alice.search_messages();
    let conversations = pair.of_alice.search_conversations();
    for given in [0, 51] {
        assert_out_of_range(messages.load_more(given), given, 50).await;
        assert_out_of_range(conversations.load_more(given), given, 50).await;
    }
    ok(messages.load_more(50)).await;
}

/// Such filters are not errors. They match nothing.
#[tokio::test]
async fn filter_unmatchable_finds_nothing() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "word").await;
    let none: [&str; 0] = [];
    let new = SimpleFilter::new;
    let filters = [
        new().subject(StringFilter::one_of(none)).into(),
        new().created_at(5..5).into(),
        new().created_at(NumberFilter::Between(9.0, 5.0)).into(),
        new().created_at(NumberFilter::Below(f64::MIN)).into(),
        new().created_at(NumberFilter::Above(f64::NAN)).into(),
        new().created_at(NumberFilter::Above(f64::INFINITY)).into(),
        ConversationFilter::Any(Vec::new()),
    ];
    for filter in filters {
        let search = pair.of_alice.search_messages();
        let page = ok(search.set_query("word", filter.clone())).await;
        assert!(page.results.is_empty() && page.loaded_all, "{filter:?}");
    }
}

#[tokio::test]
async fn search_empty_query_finds_nothing() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "word").await;
    let search = pair.of_alice.search_messages();
    for query in ["", "  ", "!"] {
        let page = ok(search.set_query(query, None)).await;
        assert!(page.results.is_empty() && page.loaded_all, "{query:?}");
    }
}

#[tokio::test]
async fn content_invalid_is_refused() {
    let (_town, pair) = Town::with_pair().await;
    let nested = (0..60).fold(TextNode::text("x"), |node, _| TextNode::bold([node]));
    let blocks = [
        ContentBlock::location(90.5, 0.0),
        ContentBlock::location(0.0, -180.5),
        ContentBlock::location(f64::NAN, 0.0),
        ContentBlock::location(0.0, f64::INFINITY),
        ContentBlock::text([nested]),
    ];
    let message = say(&pair.alice, "hi").await;
    for block in blocks {
        let sent = SendMessage::content([block.clone()]);
        assert_refused(pair.alice.send(sent), 400, "INVALID_CONTENT").await;
        let edit = EditMessage::content([block]);
        assert_refused(message.edit(edit), 400, "INVALID_CONTENT").await;
    }
    for token in ["", "token of nothing"] {
        let file = SendMessage::content([ContentBlock::file(token)]);
        assert_refused(pair.alice.send(file), 400, "INVALID_FILE_TOKEN").await;
    }
    assert_eq!(ok(message.get()).await.unwrap().plaintext(), "hi");
}

/// The documentation allows empty messages.
#[tokio::test]
async fn empty_text_is_sent_unchanged() {
    let (_town, pair) = Town::with_pair().await;
    for text in ["", " ", "\n"] {
        let message = say(&pair.alice, text).await;
        assert_eq!(ok(message.get()).await.unwrap().plaintext().trim(), "");
        ok(message.edit(text)).await;
    }
}

#[tokio::test]
async fn empty_edit_changes_nothing() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    ok(message.edit(EditMessage::default())).await;
    let seen = ok(message.get()).await.unwrap();
    assert_eq!((seen.plaintext().as_str(), seen.edited_at), ("hi", None));
}

#[tokio::test]
async fn message_above_frame_size_is_refused() {
    let (_town, pair) = Town::with_pair().await;
    let text = "x".repeat(17 << 20);
    let outcome = within(pair.alice.send(text)).await.map(drop);
    let Err(Error::Usage(CommandError::TooLarge { size, limit })) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(size > limit);
    say(&pair.alice, "the next one").await;
}

#[tokio::test]
async fn custom_data_takes_any_keys_and_values() {
    let (_town, pair) = Town::with_pair().await;
    let values = [
        ("", ""),
        ("__proto__", "x"),
        ("a.b", "\u{0}"),
        ("ключ", "😀"),
    ];
    let sent = values
        .iter()
        .fold(SendMessage::text("hi"), |sent, (key, value)| {
            sent.custom(*key, *value)
        });
    let message = ok(pair.alice.send(sent)).await;
    let seen = ok(message.get()).await.unwrap();
    for (key, value) in values {
        assert_eq!(seen.custom.get(key), Some(value));
    }
}

#[tokio::test]
async fn translate_invalid_language_is_refused() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    for language in ["", "-", "english"] {
        assert_refused(message.translate(language), 400, "INVALID_LANGUAGE").await;
    }
}

#[tokio::test]
async fn upload_without_name_is_refused_unread() {
    let (_town, pair) = Town::with_pair().await;
    let upload = pair
        .of_alice
        .upload_file(vec![1], UploadMetadata::named(""));
    assert_refused(upload, 400, "INVALID_FILENAME").await;
}

/// The client sends it as an unknown duration.
#[tokio::test]
async fn upload_duration_nan_is_omitted() {
    let (_town, pair) = Town::with_pair().await;
    let metadata = UploadMetadata::named("a.ogg").duration(f64::NAN);
    let token = ok(pair.of_alice.upload_audio(vec![1], metadata)).await;
    let file = SendMessage::content([ContentBlock::file(token.as_str())]);
    let message = ok(pair.alice.send(file)).await;
    let seen = ok(message.get()).await.unwrap();
    let ContentBlock::File(file) = &seen.content[0] else {
        panic!("{seen:?}");
    };
    assert_eq!(file.duration, None);
}

#[tokio::test]
async fn token_invalid_in_header_fails_only_the_call() {
    let town = Town::new().await;
    let alice = town.stranger("alice");
    alice.set_token("line\nbreak");
    ok(alice.current_user().set(UserParams::named("Alice"))).await;
    let search = alice.search_messages();
    let outcome = within(search.set_query("x", None)).await;
    assert!(matches!(outcome, Err(Error::Transport(_))), "{outcome:?}");
    ok(alice.current_user().get()).await;
}
