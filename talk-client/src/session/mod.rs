//! The session.

mod error_handler;
mod start;
mod states;

use std::fmt;
use std::sync::Arc;

use talk_proto::{
    Call, ConnectionState, Counters, Reply, Secret, SessionError, Topic, Window,
    filter::ConversationFilter,
    model::{AppId, ConversationId, ConversationSnapshot, EmptyId, EntryId, UserId},
    outbox::Entry,
    search::MessageHit,
};

pub use self::error_handler::ErrorSubscription;
#[cfg(feature = "native")]
pub use self::start::get_talk_session_on;
pub use self::start::get_talk_session_over;
pub use self::states::{ConnectionStateStream, StoreStateStream};
use crate::error::Error;
use crate::handle::{CallFuture, Command, Handle, OutboxCommand};
use crate::inbox::InboxBuilder;
use crate::refs::{ConversationRef, OutboxEntry, UserRef};
use crate::search::Search;
use crate::store::StoreState;
use crate::subscription::Subscription;
use crate::sync::lock;
use crate::transport::{MaybeSend, MaybeSync};
use crate::upload::metadata::MediaKind;
use crate::upload::{UploadFuture, UploadMetadata, UploadSource};

/// The largest page of conversations that the service returns.
const CONVERSATION_PAGE: usize = 30;

/// The session of a user with the service.
///
/// It connects at the first call or subscription, reconnects as needed, and disconnects some
/// seconds after the last one has ended. The value is a handle: its clones, refs and subscriptions
/// belong to the same session, which ends when the last of them is dropped. Its methods can be
/// called from any runtime and thread.
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// use talk_client::{ConversationParams, UserParams};
///
/// session.current_user().set(UserParams::named("Alice")).await?;
/// let conversation = session.conversation("welcome")?;
/// conversation.set(ConversationParams::default().subject("Welcome")).await?;
/// conversation.send("Hello, *world*!").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Session {
    handle: Handle,
}

impl Session {
    /// Returns the app of the session.
    pub fn app_id(&self) -> &AppId {
        &self.handle.key.app_id
    }

    /// Returns the user of the session.
    pub fn user_id(&self) -> &UserId {
        self.handle.me()
    }

    /// Returns a ref of the session's user.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::UserParams;
    ///
    /// session.current_user().set(UserParams::named("Alice")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn current_user(&self) -> UserRef {
        UserRef::new(self.handle.clone(), self.user_id().clone())
    }

    /// Returns a ref of a user. The user need not exist, and nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let bob = session.user("bob")?.get().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] if the ID is empty.
    pub fn user<I>(&self, id: I) -> Result<UserRef, EmptyId>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        let id = id.try_into().map_err(Into::into)?;
        Ok(UserRef::new(self.handle.clone(), id))
    }

    /// Returns a ref of a conversation. The conversation need not exist, and nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// session.conversation("welcome")?.mark_as_read().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] if the ID is empty.
    pub fn conversation<I>(&self, id: I) -> Result<ConversationRef, EmptyId>
    where
        I: TryInto<ConversationId, Error: Into<EmptyId>>,
    {
        let id = id.try_into().map_err(Into::into)?;
        Ok(ConversationRef::new(self.handle.clone(), id))
    }

    /// Subscribes to the conversations of the session's user, the most recently active first. The
    /// first page holds 20; [`load_more`](Subscription::load_more) loads 1 to 30 more (default 20).
    /// The list is empty if the user is in no conversation or does not exist.
    ///
    /// With a filter, the list holds the conversations that currently match it. A filter that no
    /// conversation can match is no error and results in an empty list.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::{SimpleFilter, StringFilter};
    ///
    /// let everything = session.subscribe_conversations(None);
    /// for conversation in everything.connected().await?.iter() {
    ///     println!("{:?}: {} unread", conversation.subject, conversation.unread_message_count);
    /// }
    /// everything.load_more(30).await?;
    ///
    /// let filter = SimpleFilter::new()
    ///     .is_unread(true)
    ///     .custom("category", StringFilter::one_of(["work", "family"]));
    /// let unread = session.subscribe_conversations(filter);
    /// println!("{} to read", unread.connected().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None here. The subscription ends with an error if the server refuses the list or the session
    /// ends.
    pub fn subscribe_conversations(
        &self,
        filter: impl Into<Option<ConversationFilter>>,
    ) -> Subscription<Window<ConversationSnapshot>> {
        let filter = filter.into();
        Subscription::new(&self.handle, Topic::Conversations { filter })
    }

    /// Fetches all conversations of the session's user that match a filter, the most recently
    /// active first. It takes one request for every 30.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::SimpleFilter;
    ///
    /// println!("{} conversations", session.all_conversations(None).await?.len());
    /// let unread = session.all_conversations(SimpleFilter::new().is_unread(true)).await?;
    /// println!("{} unread", unread.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of every request. It waits for the connection without a time limit.
    pub async fn all_conversations(
        &self,
        filter: impl Into<Option<ConversationFilter>>,
    ) -> Result<Vec<Arc<ConversationSnapshot>>, Error> {
        let conversations = self.subscribe_conversations(filter);
        let all = conversations.load_all(CONVERSATION_PAGE).await?;
        Ok(all.iter().cloned().collect())
    }

    /// Creates a search for messages by text in the conversations of the session's user. Nothing is
    /// sent before [`Search::set_query`].
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let search = session.search_messages();
    /// for found in search.set_query("hello", None).await?.results {
    ///     println!("{}", found.message.plaintext());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_messages(&self) -> Search<MessageHit> {
        Search::messages(&self.handle)
    }

    /// Creates a search for conversations of the session's user by subject or `custom.search`.
    /// Nothing is sent before [`Search::set_query`].
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let search = session.search_conversations();
    /// let page = search.set_query("holidays", None).await?;
    /// if !page.loaded_all {
    ///     search.load_more(50).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_conversations(&self) -> Search<ConversationSnapshot> {
        Search::conversations(&self.handle)
    }

    /// Prepares an inbox: a durable consumer of new messages in all conversations of the session's
    /// user. The name identifies its positions in the store. See [`inbox`](crate::inbox).
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    ///
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let mut inbox = session.inbox("support-bot").open().await?;
    /// while let Some(delivery) = inbox.next().await {
    ///     delivery.reply("We have received your message.").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn inbox(&self, name: impl Into<String>) -> InboxBuilder {
        InboxBuilder::new(&self.handle, name.into())
    }

    /// Returns the handle of an entry of the outbox, for example of an earlier process.
    ///
    /// ```no_run
    /// # use talk_client::{Error, Session, outbox::EntryId};
    /// # async fn example(session: Session, id: EntryId) -> Result<(), Error> {
    /// session.outbox_entry(id).retry().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None here. The methods of the handle fail with
    /// [`CommandError::UnknownEntry`](crate::CommandError::UnknownEntry) if there is no such entry.
    pub fn outbox_entry(&self, id: EntryId) -> OutboxEntry {
        OutboxEntry::find(&self.handle, id)
    }

    /// Subscribes to all entries of the outbox, oldest first. Needs no connection.
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    ///
    /// # async fn example(session: talk_client::Session) {
    /// let mut entries = session.subscribe_outbox();
    /// while let Some(update) = entries.next().await {
    ///     let held = update.snapshot.iter().filter(|entry| entry.held().is_some());
    ///     println!("{} to send, {} of them held", update.snapshot.len(), held.count());
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// None here. The subscription ends with [`CommandError::NoOutbox`](crate::CommandError) if the
    /// session has no outbox.
    pub fn subscribe_outbox(&self) -> Subscription<Window<Entry>> {
        Subscription::new(&self.handle, Topic::Outbox)
    }

    /// Sends all held entries of the outbox again.
    ///
    /// # Errors
    /// The session has no outbox, or has ended.
    pub async fn retry_outbox(&self) -> Result<(), Error> {
        let command = |reply| OutboxCommand::RetryAll { reply };
        self.handle.outbox(command).await.map(drop)
    }

    /// Returns the state of the store. After [`shutdown`](Self::shutdown) it reports if everything
    /// was written.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) {
    /// use talk_client::store::StoreState;
    ///
    /// session.shutdown().await;
    /// if let StoreState::Failing(error) = session.store_state() {
    ///     eprintln!("the last changes of the outbox are lost: {error}");
    /// }
    /// # }
    /// ```
    pub fn store_state(&self) -> StoreState {
        self.handle.store.get()
    }

    /// Returns the state of the store as a stream that starts with the current one. A slow consumer
    /// gets the latest state. The stream does not keep the session alive, and ends with it.
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    /// use talk_client::store::StoreState;
    ///
    /// # async fn example(session: talk_client::Session) {
    /// let mut states = session.store_states();
    /// while let Some(state) = states.next().await {
    ///     if let StoreState::Failing(error) | StoreState::Unavailable(error) = state {
    ///         eprintln!("{error}; messages wait");
    ///     }
    /// }
    /// # }
    /// ```
    pub fn store_states(&self) -> StoreStateStream {
        StoreStateStream::new(self.handle.shared())
    }

    /// Uploads a file of any kind and returns a token that can be sent in a message.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use std::path::Path;
    /// use talk_client::SendMessage;
    ///
    /// let report = Path::new("report.pdf");
    /// let file_token = session.upload_file(report, "report.pdf").await?;
    /// session.conversation("welcome")?.send(SendMessage::file(file_token)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server may refuse the file; it does so before any data is sent.
    pub fn upload_file(
        &self,
        source: impl Into<UploadSource>,
        metadata: impl Into<UploadMetadata>,
    ) -> UploadFuture {
        UploadFuture::new(
            &self.handle,
            MediaKind::File,
            source.into(),
            metadata.into(),
        )
    }

    /// Uploads an image and returns a token that can be sent in a message.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::{UploadMetadata, UploadSource};
    ///
    /// let cat = UploadMetadata::named("cat.png").content_type("image/png").size(640, 480);
    /// let file_token = session.upload_image(UploadSource::file("cat.png"), cat).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server may refuse the file; it does so before any data is sent.
    pub fn upload_image(
        &self,
        source: impl Into<UploadSource>,
        metadata: impl Into<UploadMetadata>,
    ) -> UploadFuture {
        UploadFuture::new(
            &self.handle,
            MediaKind::Image,
            source.into(),
            metadata.into(),
        )
    }

    /// Uploads a video and returns a token that can be sent in a message.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::{UploadMetadata, UploadSource};
    ///
    /// let cat = UploadMetadata::named("cat.mp4").size(640, 480).duration(2.5);
    /// let file_token = session.upload_video(UploadSource::file("cat.mp4"), cat).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server may refuse the file; it does so before any data is sent.
    pub fn upload_video(
        &self,
        source: impl Into<UploadSource>,
        metadata: impl Into<UploadMetadata>,
    ) -> UploadFuture {
        UploadFuture::new(
            &self.handle,
            MediaKind::Video,
            source.into(),
            metadata.into(),
        )
    }

    /// Uploads an audio file and returns a token that can be sent in a message.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::{UploadMetadata, UploadSource};
    ///
    /// let song = UploadMetadata::named("song.ogg").duration(210.0);
    /// let file_token = session.upload_audio(UploadSource::file("song.ogg"), song).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server may refuse the file; it does so before any data is sent.
    pub fn upload_audio(
        &self,
        source: impl Into<UploadSource>,
        metadata: impl Into<UploadMetadata>,
    ) -> UploadFuture {
        UploadFuture::new(
            &self.handle,
            MediaKind::Audio,
            source.into(),
            metadata.into(),
        )
    }

    /// Uploads a voice recording, which is displayed as such, and returns a token that can be sent
    /// in a message.
    ///
    /// ```no_run
    /// # use talk_client::{Error, Session};
    /// # async fn example(session: Session, recording: Vec<u8>) -> Result<(), Error> {
    /// use talk_client::UploadMetadata;
    ///
    /// let voice = UploadMetadata::named("voice.ogg").content_type("audio/ogg").duration(4.0);
    /// let file_token = session.upload_voice(recording, voice).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server may refuse the file; it does so before any data is sent.
    pub fn upload_voice(
        &self,
        source: impl Into<UploadSource>,
        metadata: impl Into<UploadMetadata>,
    ) -> UploadFuture {
        UploadFuture::new(
            &self.handle,
            MediaKind::Voice,
            source.into(),
            metadata.into(),
        )
    }

    /// Replaces the token of the session.
    ///
    /// Pending calls and subscriptions continue. It has no effect on a session that has ended.
    ///
    /// ```no_run
    /// # fn example(session: talk_client::Session, token: String) {
    /// session.set_token(token);
    /// # }
    /// ```
    pub fn set_token(&self, token: impl Into<Secret>) {
        self.handle.push(Command::SetToken(token.into()));
    }

    /// Sets a handler that is called when a token is needed: for the first connection unless a
    /// token was given, and before the current one expires. It replaces the previous handler and
    /// the [token fetcher](crate::TalkOptions::token_fetcher).
    ///
    /// The handler fetches a token and passes it to [`set_token`](Self::set_token) of its argument
    /// within 60 s. It must not block. A handler that owns the session would keep it alive forever.
    ///
    /// ```no_run
    /// # fn spawn(task: impl Future<Output = ()>) {}
    /// # async fn fetch() -> String { String::new() }
    /// # fn example(session: talk_client::Session) {
    /// session.on_need_token(|session| spawn(async move { session.set_token(fetch().await) }));
    /// # }
    /// ```
    pub fn on_need_token(&self, handler: impl Fn(Self) + MaybeSend + MaybeSync + 'static) {
        if self.error().is_some() {
            return;
        }
        let handler = move |handle| handler(Self { handle });
        let before = lock(&self.handle.token_handler).replace(Arc::new(handler));
        drop(before);
        self.handle.push(Command::TokenHandlerSet);
    }

    /// Calls `handler` when the session ends with an error, at once if it already has. No retry can
    /// resume such a session. The handler is called at most once, and not after
    /// [`shutdown`](Self::shutdown). It must not block.
    ///
    /// Dropping the [`ErrorSubscription`] leaves the handler attached.
    ///
    /// ```no_run
    /// # fn example(session: talk_client::Session) {
    /// session.on_error(|error| eprintln!("the chat has ended: {error}"));
    /// # }
    /// ```
    pub fn on_error(
        &self,
        handler: impl FnOnce(&SessionError) + MaybeSend + 'static,
    ) -> ErrorSubscription {
        let key = self.handle.termination.attach(handler);
        ErrorSubscription::new(self.handle.shared(), key)
    }

    /// Reports that the network returned or changed. A session that waits to reconnect retries at
    /// once.
    ///
    /// ```no_run
    /// # fn example(session: talk_client::Session) {
    /// session.network_changed();
    /// # }
    /// ```
    pub fn network_changed(&self) {
        self.handle.push(Command::NetworkChanged);
    }

    /// Connects if necessary, and resolves when the server has accepted the session.
    ///
    /// Calls need no such preparation: each connects and waits by itself. Without further calls or
    /// subscriptions the connection closes after some seconds.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use std::time::Duration;
    ///
    /// session.connected().timeout(Duration::from_secs(10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The reason for the end of the session, such as a rejected token, and
    /// [`TransportError::Deadline`](crate::TransportError::Deadline) after a time limit. It waits
    /// without limit otherwise.
    pub fn connected(&self) -> CallFuture<()> {
        if self.error().is_none() && self.connection_state() == ConnectionState::Ready {
            return CallFuture::ready();
        }
        // The cheapest read; its answer follows the authentication.
        let user = self.user_id().clone();
        self.handle
            .call(Call::GetUser { user }, |reply| match reply {
                Reply::User(_) => Ok(()),
                reply => Err(reply),
            })
    }

    /// Returns the state of the connection. While the session waits to reconnect, the state
    /// contains the time of the next attempt and the reason. The state of a session that has ended
    /// is [`ConnectionState::Idle`].
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::ConnectionState;
    ///
    /// assert_eq!(session.connection_state(), ConnectionState::Idle, "nothing was asked for");
    /// # Ok(())
    /// # }
    /// ```
    pub fn connection_state(&self) -> ConnectionState {
        self.handle.connection.get()
    }

    /// Returns the connection state as a stream that starts with the current one. A slow consumer
    /// gets the latest state. The stream does not keep the session alive, and ends with it.
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    ///
    /// # async fn example(session: talk_client::Session) {
    /// let mut states = session.connection_states();
    /// while let Some(state) = states.next().await {
    ///     println!("{state:?}");
    /// }
    /// # }
    /// ```
    pub fn connection_states(&self) -> ConnectionStateStream {
        ConnectionStateStream::new(self.handle.shared())
    }

    /// Returns the counters of the session, for logs and monitoring.
    ///
    /// ```no_run
    /// # fn example(session: talk_client::Session) {
    /// let counters = session.counters();
    /// println!("{} bytes in, {} reconnects", counters.bytes_received, counters.reconnects);
    /// # }
    /// ```
    pub fn counters(&self) -> Counters {
        *lock(&self.handle.counters)
    }

    /// Returns the cause of the session's end, if it has ended.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// if let Some(error) = session.error() {
    ///     eprintln!("the chat has ended: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn error(&self) -> Option<SessionError> {
        self.handle.termination.cause()
    }

    /// Ends the session for all its handles. Pending calls and subscriptions fail with
    /// [`SessionError::Shutdown`]. Resolves when the connection is closed, after a second at most,
    /// and everything is written to the store, after 5 s at most.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) {
    /// session.shutdown().await;
    /// # }
    /// ```
    pub async fn shutdown(&self) {
        self.handle.push(Command::Shutdown);
        self.handle.termination.driver_stopped().await;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.handle).finish()
    }
}
