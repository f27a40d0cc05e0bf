//! The session: where everything starts.

mod connection;
mod error_handler;
mod start;

use std::fmt;
use std::sync::Arc;

use talk_proto::{
    AppId, ConnectionState, ConversationFilter, ConversationId, ConversationSnapshot, Counters,
    EmptyId, MessageHit, Secret, SessionError, Topic, UserId, Window,
};

pub use self::connection::ConnectionStateStream;
pub use self::error_handler::ErrorSubscription;
#[cfg(feature = "native")]
pub use self::start::get_talk_session_on;
pub use self::start::get_talk_session_over;
use crate::handle::{Command, Handle};
use crate::refs::{ConversationRef, UserRef};
use crate::search::Search;
use crate::subscription::Subscription;
use crate::sync::lock;
use crate::transport::{MaybeSend, MaybeSync};
use crate::upload::metadata::MediaKind;
use crate::upload::{UploadFuture, UploadMetadata, UploadSource};

/// One user's session with the service.
///
/// It connects when something is asked of it, reconnects as needed, and closes the connection some
/// seconds after nothing is wanted any more. It is a handle: clones, and every ref and subscription
/// made from it, stand for the same session, which lives until the last of them is dropped. Nothing
/// that it does depends on the runtime that it is called from.
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
    /// The app that the session belongs to.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// println!("{} in {}", session.user_id(), session.app_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn app_id(&self) -> &AppId {
        &self.handle.key.app_id
    }

    /// The user that the session is connected as.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// assert_eq!(session.user_id(), session.current_user().id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn user_id(&self) -> &UserId {
        self.handle.me()
    }

    /// The user that the session is connected as.
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

    /// A user. Nothing is sent, and they need not exist.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let bob = session.user("bob")?.get().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] when the ID is empty.
    pub fn user<I>(&self, id: I) -> Result<UserRef, EmptyId>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        let id = id.try_into().map_err(Into::into)?;
        Ok(UserRef::new(self.handle.clone(), id))
    }

    /// A conversation. Nothing is sent, and it need not exist.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// session.conversation("welcome")?.mark_as_read().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] when the ID is empty.
    pub fn conversation<I>(&self, id: I) -> Result<ConversationRef, EmptyId>
    where
        I: TryInto<ConversationId, Error: Into<EmptyId>>,
    {
        let id = id.try_into().map_err(Into::into)?;
        Ok(ConversationRef::new(self.handle.clone(), id))
    }

    /// The current user's conversations from now on, the most recently active in front: 20 to begin
    /// with, and more with [`load_more`](Subscription::load_more), 1 to 30 at a time, 20 by default.
    /// It is empty, and not absent, as long as the user is in none or does not exist.
    ///
    /// With a filter it holds the conversations that match it now: they come and go as they change.
    /// A filter that nothing can match is no error, and shows nothing.
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
    /// None here. The subscription ends with an error when the server refuses the list, as any does
    /// when the session ends.
    pub fn subscribe_conversations(
        &self,
        filter: impl Into<Option<ConversationFilter>>,
    ) -> Subscription<Window<ConversationSnapshot>> {
        let filter = filter.into();
        Subscription::new(&self.handle, Topic::Conversations { filter })
    }

    /// A search in the messages of the current user's conversations, by their text. Nothing is
    /// asked for before [`Search::set_query`].
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let search = session.search_messages();
    /// for found in search.set_query("hello", Default::default()).await?.results {
    ///     println!("{}", found.message.plaintext());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_messages(&self) -> Search<MessageHit> {
        Search::messages(&self.handle)
    }

    /// A search in the current user's conversations, by their subject or `custom.search`. Nothing
    /// is asked for before [`Search::set_query`].
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let search = session.search_conversations();
    /// let page = search.set_query("holidays", Default::default()).await?;
    /// if !page.loaded_all {
    ///     search.load_more(50).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_conversations(&self) -> Search<ConversationSnapshot> {
        Search::conversations(&self.handle)
    }

    /// Uploads a file of any kind. The token that it gives can be sent in a message.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use std::path::Path;
    /// use talk_client::{ContentBlock, SendMessage};
    ///
    /// let report = Path::new("report.pdf");
    /// let file_token = session.upload_file(report, "report.pdf").await?;
    /// let message = SendMessage::content([ContentBlock::file(file_token.as_str())]);
    /// session.conversation("welcome")?.send(message).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused, before any of it is sent, when the server does not want it.
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

    /// Uploads an image. The token that it gives can be sent in a message.
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
    /// Refused, before any of it is sent, when the server does not want it.
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

    /// Uploads a video. The token that it gives can be sent in a message.
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
    /// Refused, before any of it is sent, when the server does not want it.
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

    /// Uploads an audio file. The token that it gives can be sent in a message.
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
    /// Refused, before any of it is sent, when the server does not want it.
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

    /// Uploads a voice recording, which is shown as such. The token that it gives can be sent in a message.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session, recording: Vec<u8>) -> Result<(), talk_client::Error> {
    /// use talk_client::UploadMetadata;
    ///
    /// let voice = UploadMetadata::named("voice.ogg").content_type("audio/ogg").duration(4.0);
    /// let file_token = session.upload_voice(recording, voice).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused, before any of it is sent, when the server does not want it.
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

    /// Authenticates with this token from now on, for all who hold the session.
    ///
    /// Calls on their way and subscriptions are not disturbed. On a session that has ended it does
    /// nothing.
    ///
    /// ```no_run
    /// # fn example(session: talk_client::Session, token: String) {
    /// session.set_token(token);
    /// # }
    /// ```
    pub fn set_token(&self, token: impl Into<Secret>) {
        self.handle.push(Command::SetToken(token.into()));
    }

    /// Calls `handler` whenever a token is needed: for the first connection unless a token was
    /// given, and when the current one is about to expire. It replaces the handler before, and the
    /// [token fetcher](crate::TalkOptions::token_fetcher).
    ///
    /// The handler gets a token and hands it to [`set_token`](Self::set_token) of the session that
    /// it is given, within 60 s. It must not block. Holding the session in the handler itself would
    /// keep it alive for ever.
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

    /// Calls `handler` when the session ends with an error, which no retry could mend; at once when
    /// it has ended so already. It is called at most once, and not for
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

    /// Tells that the network is back, or is another one: a session that waits to reconnect tries
    /// at once.
    ///
    /// ```no_run
    /// # fn example(session: talk_client::Session) {
    /// session.network_changed();
    /// # }
    /// ```
    pub fn network_changed(&self) {
        self.handle.push(Command::NetworkChanged);
    }

    /// Whether the session is connected; if it waits to reconnect, until when and why.
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

    /// The connection state as a stream: first the one that is, then each new one. Latest wins. The
    /// stream does not keep the session alive, and ends with it.
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

    /// What the session has done so far, in numbers, for logs and monitoring.
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

    /// Why the session ended, if it has.
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

    /// Ends the session for all who hold it: what is pending fails with
    /// [`SessionError::ShutDown`], and the connection closes. Done when it is closed, which takes a
    /// second at most.
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
