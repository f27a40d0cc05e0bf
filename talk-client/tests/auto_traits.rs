//! The auto traits of public types, and secrets in their debug output.

use std::hash::Hash;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::TryNext;
use talk_client::inbox::{Delivery, Failure, Inbox, InboxBuilder};
use talk_client::{
    CallFuture, ConnectionState, ConnectionStateStream, ConversationRef, ConversationSnapshot,
    Counters, Error, ErrorSubscription, History, MessageHit, MessageRef, MessageSnapshot,
    ParticipantRef, ReactionsRef, Search, SendFileFuture, Session, StoreStateStream, Subscription,
    TalkOptions, TypingGuard, Update, User, UserRef, Window,
};

fn is_handle<T: Clone + Eq + Hash + Send + Sync + Unpin + 'static>() {}
fn is_stream<T: Stream<Item = I> + Send + Sync + Unpin + 'static, I>() {}
fn is_sendable<T: Send + Sync + Unpin + 'static>() {}
fn is_spawnable<T: Future + Send + Unpin + 'static>() {}

#[test]
fn public_types_have_expected_auto_traits() {
    is_handle::<Session>();
    is_handle::<UserRef>();
    is_handle::<ConversationRef>();
    is_handle::<ParticipantRef>();
    is_handle::<MessageRef>();
    is_handle::<ReactionsRef>();

    type UserShown = Option<Arc<User>>;
    type MessagesShown = Option<Window<MessageSnapshot>>;
    is_stream::<Subscription<UserShown>, Update<UserShown>>();
    is_stream::<Subscription<MessagesShown>, Update<MessagesShown>>();
    type ConversationsShown = Window<ConversationSnapshot>;
    is_stream::<Subscription<ConversationsShown>, Update<ConversationsShown>>();
    is_stream::<ConnectionStateStream, talk_client::ConnectionState>();
    is_stream::<StoreStateStream, talk_client::store::StoreState>();

    is_stream::<Inbox, Delivery>();

    is_spawnable::<CallFuture<UserShown>>();
    is_spawnable::<SendFileFuture>();
    is_spawnable::<TryNext<'static, History>>();
    is_sendable::<TypingGuard>();
    is_sendable::<Error>();
    is_sendable::<ErrorSubscription>();
    is_sendable::<Search<MessageHit>>();
    is_sendable::<ConnectionState>();
    is_sendable::<Counters>();
    is_sendable::<TalkOptions>();
    is_sendable::<InboxBuilder>();
    is_sendable::<Delivery>();
    is_sendable::<Failure>();
}

#[test]
fn options_debug_hides_secrets() {
    let options = TalkOptions::new("app", "alice")
        .unwrap()
        .token("s3cret")
        .signature("s3cret");
    assert!(!format!("{options:?}").contains("s3cret"));
}
