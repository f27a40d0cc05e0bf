//! Shortcuts that the documented API does not have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use talk_tokio::{
    Access, CommandError, ConnectionState, ContentBlock, Error, FileSubtype, ParticipantParams,
    SendMessage, SessionError, TokenClaims, UploadMetadata, get_talk_session, retrying,
};

use super::support::{Town, ok, say, within};

#[tokio::test]
async fn reply_quotes_the_message() {
    let (_town, pair) = Town::with_pair().await;
    let question = say(&pair.alice, "Tea?").await;
    let question = pair.bob.message(question.id()).unwrap();
    let answer = ok(question.reply("Yes")).await;
    let seen = ok(answer.get()).await.unwrap();
    assert_eq!(seen.referenced_message_id.as_ref(), Some(question.id()));

    let by_ref = SendMessage::text("No").reply_to(&question);
    let seen = ok(ok(pair.alice.send(by_ref)).await.get()).await.unwrap();
    assert_eq!(seen.referenced_message_id.as_ref(), Some(question.id()));
}

#[tokio::test]
async fn send_file_uploads_and_sends() {
    let (_town, pair) = Town::with_pair().await;
    let question = say(&pair.alice, "A photo?").await;
    let cat = UploadMetadata::named("cat.png")
        .content_type("image/png")
        .size(640, 480);
    let sending = pair.bob.send_file(vec![7; 300_000], cat);
    let sending = sending.custom("album", "pets").reply_to(&question);
    let last = sending
        .progress()
        .fold(None, async |_, progress| Some(progress));
    let (message, last) = within(futures_util::future::join(sending, last)).await;
    assert_eq!(
        last.map(|last| (last.sent, last.total)),
        Some((300_000, 300_000))
    );

    let seen = ok(message.unwrap().get()).await.unwrap();
    assert_eq!(seen.custom.get("album"), Some("pets"));
    assert_eq!(seen.referenced_message_id.as_ref(), Some(question.id()));
    let [ContentBlock::File(file)] = &*seen.content else {
        panic!("not a file: {:?}", seen.content);
    };
    assert_eq!(file.subtype, Some(FileSubtype::Image));
    assert_eq!((file.size, file.width), (Some(300_000), Some(640.0)));
}

#[tokio::test]
async fn send_file_other_media_types_are_files() {
    let (_town, pair) = Town::with_pair().await;
    let message = ok(pair.alice.send_file(b"text".to_vec(), "notes.txt")).await;
    let seen = ok(message.get()).await.unwrap();
    let [ContentBlock::File(file)] = &*seen.content else {
        panic!("not a file: {:?}", seen.content);
    };
    assert_eq!(
        (&file.subtype, file.filename.as_deref()),
        (&None, Some("notes.txt"))
    );
}

#[tokio::test]
async fn file_token_is_a_message() {
    let (_town, pair) = Town::with_pair().await;
    let token = ok(pair.of_alice.upload_file(b"text".to_vec(), "notes.txt")).await;
    let sent = ok(pair.alice.send(token.clone())).await;
    let again = ok(pair.alice.send(SendMessage::file(&token))).await;
    let content =
        async |message: talk_tokio::MessageRef| ok(message.get()).await.unwrap().plaintext();
    assert_eq!(content(sent).await, content(again).await);
}

#[tokio::test]
async fn participants_are_added_and_removed_together() {
    let (town, pair) = Town::with_pair().await;
    for id in ["carol", "dave"] {
        town.person(id).await;
    }
    let readers = ParticipantParams::default().access(Access::Read);
    ok(pair
        .alice
        .add_participants(["bob", "carol", "dave"], readers))
    .await;
    let mut all = ok(pair.alice.all_participants()).await;
    all.sort_by(|a, b| a.user.id.cmp(&b.user.id));
    let all: Vec<_> = all
        .iter()
        .map(|it| (it.user.id.as_str(), &it.access))
        .collect();
    let (all_rights, read) = (&Access::ReadWrite, &Access::Read);
    assert_eq!(all[..2], [("alice", all_rights), ("bob", all_rights)]);
    assert_eq!(all[2..], [("carol", read), ("dave", read)]);

    ok(pair.alice.remove_participants(["carol", "dave", "nobody"])).await;
    assert_eq!(ok(pair.alice.all_participants()).await.len(), 2);
    ok(pair.bob.leave()).await;
    assert_eq!(ok(pair.bob.get()).await, None);
    assert_eq!(ok(pair.alice.all_participants()).await.len(), 1);
}

#[tokio::test]
async fn add_participants_tries_all_and_fails_first() {
    let (town, pair) = Town::with_pair().await;
    town.person("carol").await;
    let users = ["nobody", "carol"];
    let added = within(pair.alice.add_participants(users, Default::default())).await;
    assert_eq!(added.unwrap_err().error_code(), Some("USER_NOT_FOUND"));
    assert_eq!(ok(pair.alice.all_participants()).await.len(), 3);
    let empty = within(pair.alice.remove_participants(["carol", ""])).await;
    assert!(
        matches!(empty, Err(Error::Usage(CommandError::EmptyId(_)))),
        "{empty:?}"
    );
    assert_eq!(ok(pair.alice.all_participants()).await.len(), 3);
}

#[tokio::test]
async fn connected_opens_the_connection() {
    let town = Town::new().await;
    let session = town.stranger("alice");
    assert_eq!(session.connection_state(), ConnectionState::Idle);
    ok(session.connected()).await;
    assert_eq!(session.connection_state(), ConnectionState::Ready);
    ok(session.connected()).await;
}

#[tokio::test]
async fn connected_fails_with_the_session() {
    let town = Town::new().await;
    town.set(|settings| settings.secret = Some("key".to_owned()))
        .await;
    let session = get_talk_session(town.options("alice").token("wrong")).unwrap();
    let outcome = within(session.connected()).await;
    assert_eq!(outcome, Err(Error::Session(SessionError::TokenRejected)));
}

#[tokio::test]
async fn typing_guard_repeats_until_dropped() {
    let (town, pair) = Town::with_pair().await;
    let typing = pair.bob.typing();
    town.received("/me/conversations/c/typing", 2).await;
    drop(typing);
    // A message ends the display; a further report would start it.
    say(&pair.bob, "done").await;
    let typing = ok(pair.alice.subscribe_typing().connected()).await;
    assert_eq!(typing, Some(talk_tokio::TypingSnapshot::Few(Vec::new())));
}

#[tokio::test]
async fn retrying_fetcher_survives_failures() {
    let town = Town::new().await;
    town.set(|settings| settings.secret = Some("key".to_owned()))
        .await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let claims = TokenClaims::new("app".try_into().unwrap(), "alice".try_into().unwrap());
    let fetch = move || {
        let claims = claims.clone();
        let call = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            match call {
                0 => Err("the back end is down"),
                _ => Ok(claims.mint(&"key".to_owned().into())),
            }
        }
    };
    let options = town.options("alice").token_fetcher(retrying(fetch));
    let session = get_talk_session(options).unwrap();
    ok(session.connected()).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn plain_fetcher_failure_ends_the_session() {
    let town = Town::new().await;
    let options = town
        .options("alice")
        .token_fetcher(async || Err::<String, _>("down"));
    let session = get_talk_session(options).unwrap();
    let outcome = within(session.connected()).await;
    let expected = SessionError::TokenCallback("down".to_owned());
    assert_eq!(outcome, Err(Error::Session(expected)));
}
