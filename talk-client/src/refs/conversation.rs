//! Refs of conversations.

use std::sync::Arc;

use talk_proto::{
    Call, Reply, Topic, Window,
    command::SendMessage,
    model::{
        ConversationId, ConversationParams, ConversationSnapshot, EmptyId, MessageId,
        MessageSnapshot, ParticipantParams, ParticipantSnapshot, TypingSnapshot, UserId,
    },
    outbox::Enqueue,
};

use super::history::History;
use super::message::MessageRef;
use super::outbox_entry::OutboxEntry;
use super::participant::ParticipantRef;
use super::send_file::SendFileFuture;
use super::typing_guard::TypingGuard;
use crate::error::Error;
use crate::handle::{CallFuture, Handle, OutboxCommand};
use crate::inbox::InboxBuilder;
use crate::subscription::Subscription;
use crate::upload::{UploadFuture, UploadMetadata, UploadSource};

/// The largest page of participants that the service returns.
const PARTICIPANT_PAGE: usize = 50;

/// A ref of a conversation, created by [`Session::conversation`](crate::Session::conversation).
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// let welcome = session.conversation("welcome")?;
/// welcome.create_if_not_exists(Default::default()).await?;
/// welcome.send("Hello!").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConversationRef {
    handle: Handle,
    id: ConversationId,
}

impl ConversationRef {
    pub(crate) fn new(handle: Handle, id: ConversationId) -> Self {
        Self { handle, id }
    }

    /// Returns the conversation's ID.
    pub fn id(&self) -> &ConversationId {
        &self.id
    }

    /// Returns a ref of a message of this conversation.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// conversation.message("msg_4x7b2")?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] if the ID is empty.
    pub fn message<I>(&self, id: I) -> Result<MessageRef, EmptyId>
    where
        I: TryInto<MessageId, Error: Into<EmptyId>>,
    {
        let id = id.try_into().map_err(Into::into)?;
        Ok(MessageRef::new(self.handle.clone(), self.id.clone(), id))
    }

    /// Returns a ref of a participant of this conversation, by the user's ID or ref.
    ///
    /// ```no_run
    /// # fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let conversation = session.conversation("welcome")?;
    /// let bob = session.user("bob")?;
    /// assert_eq!(conversation.participant("bob")?, conversation.participant(&bob)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] if the ID is empty.
    pub fn participant<I>(&self, user: I) -> Result<ParticipantRef, EmptyId>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        let user = user.try_into().map_err(Into::into)?;
        Ok(ParticipantRef::new(
            self.handle.clone(),
            self.id.clone(),
            user,
        ))
    }

    /// Fetches the conversation; `None` if it does not exist or the user does not participate.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// if let Some(conversation) = session.conversation("welcome")?.get().await? {
    ///     println!("{} unread", conversation.unread_message_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None of its own; see [`Error`] for those of every call.
    pub fn get(&self) -> CallFuture<Option<Arc<ConversationSnapshot>>> {
        let conversation = self.id.clone();
        self.handle.call(
            Call::GetConversation { conversation },
            |reply| match reply {
                Reply::Conversation(conversation) => Ok(conversation),
                reply => Err(reply),
            },
        )
    }

    /// Creates the conversation if it does not exist, joins it, and changes the values in `params`.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::ConversationParams;
    ///
    /// let conversation = session.conversation("welcome")?;
    /// conversation.set(ConversationParams::default().subject("Welcome")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if conversation syncing is off and the user does not
    /// participate, or `params` holds more than `notify`.
    pub fn set(&self, params: ConversationParams) -> CallFuture<()> {
        let conversation = self.id.clone();
        self.handle.call_done(Call::SetConversation {
            conversation,
            params,
        })
    }

    /// Creates the conversation and joins it. An existing one is joined and not changed.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let conversation = session.conversation("welcome")?;
    /// conversation.create_if_not_exists(Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if conversation syncing is off and the user does not
    /// participate.
    pub fn create_if_not_exists(&self, params: ConversationParams) -> CallFuture<()> {
        let conversation = self.id.clone();
        self.handle.call_done(Call::CreateConversation {
            conversation,
            params,
        })
    }

    /// Marks all messages as read.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// session.conversation("welcome")?.mark_as_read().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the user does not participate.
    pub fn mark_as_read(&self) -> CallFuture<()> {
        let conversation = self.id.clone();
        self.handle.call_done(Call::MarkAsRead { conversation })
    }

    /// Marks the conversation as unread, without counting a message.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// session.conversation("welcome")?.mark_as_unread().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the user does not participate.
    pub fn mark_as_unread(&self) -> CallFuture<()> {
        let conversation = self.id.clone();
        self.handle.call_done(Call::MarkAsUnread { conversation })
    }

    /// Displays the user as typing for 10 s or until a message is sent. Call it at most every 5 s
    /// while the user types.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// session.conversation("welcome")?.mark_as_typing().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the user does not participate or has a role without typing
    /// indicator.
    pub fn mark_as_typing(&self) -> CallFuture<()> {
        let conversation = self.id.clone();
        self.handle.call_done(Call::MarkAsTyping { conversation })
    }

    /// Sends a message. It is sent once, even if the connection is lost meanwhile.
    ///
    /// The text may hold `*bold*`, `_italic_`, `~strike~`, code, lists and addresses. See
    /// [`SendMessage`] for custom data, replies, files and locations.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::SendMessage;
    ///
    /// let conversation = session.conversation("welcome")?;
    /// let hello = conversation.send("Hello, *world*!").await?;
    /// conversation.send(SendMessage::text("Hi!").reply_to(&hello).custom("mood", "good")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the user has no write access, the content is invalid, or the
    /// message that it replies to does not exist.
    pub fn send(&self, message: impl Into<SendMessage>) -> CallFuture<MessageRef> {
        MessageRef::send(&self.handle, self.id.clone(), message.into())
    }

    /// Adds a message to the [outbox](crate::outbox), which sends it once and in order, also after
    /// a loss of the connection. The outbox has to be on; see
    /// [`TalkOptions::store`](crate::TalkOptions::store) and
    /// [`TalkOptions::outbox`](crate::TalkOptions::outbox).
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// conversation.enqueue("Hello!").stored().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None here. [`OutboxEntry::stored`] reports them.
    pub fn enqueue(&self, message: impl Into<Enqueue>) -> OutboxEntry {
        OutboxEntry::enqueue(&self.handle, self.id.clone(), message.into())
    }

    /// Prepares an inbox: a durable consumer of new messages in this conversation. The name
    /// identifies its position in the store. See [`inbox`](crate::inbox).
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let inbox = conversation.inbox("archive").own(true).open().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn inbox(&self, name: impl Into<String>) -> InboxBuilder {
        InboxBuilder::new(&self.handle, name.into()).conversation(self.id.clone())
    }

    /// Stops sending entries of this conversation from the outbox, until
    /// [`resume_outbox`](Self::resume_outbox) or the end of the session. An entry in flight is not
    /// stopped.
    ///
    /// # Errors
    /// The session has no outbox, or has ended.
    pub async fn pause_outbox(&self) -> Result<(), Error> {
        self.set_paused(true).await
    }

    /// Sends the entries of a paused conversation.
    ///
    /// # Errors
    /// The session has no outbox, or has ended.
    pub async fn resume_outbox(&self) -> Result<(), Error> {
        self.set_paused(false).await
    }

    async fn set_paused(&self, is_paused: bool) -> Result<(), Error> {
        let conversation = self.id.clone();
        let command = |reply| OutboxCommand::SetPaused {
            conversation,
            is_paused,
            reply,
        };
        self.handle.outbox(command).await.map(drop)
    }

    /// Uploads a file and sends it as a message, with progress.
    ///
    /// The media type in the metadata decides its kind: `image/…`, `video/…` and `audio/…` are
    /// displayed as such, everything else as a file. For a voice recording, or to keep the token
    /// for another try, [upload](crate::Session::upload_voice) and [`send`](Self::send) separately.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// use talk_client::{UploadMetadata, UploadSource};
    ///
    /// let cat = UploadMetadata::named("cat.png").content_type("image/png").size(640, 480);
    /// conversation.send_file(UploadSource::file("cat.png"), cat).await?;
    /// conversation.send_file(b"some text".to_vec(), "notes.txt").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Session::upload_file`](crate::Session::upload_file) and of
    /// [`send`](Self::send). After an error of `send` the file is uploaded and not sent.
    pub fn send_file(
        &self,
        source: impl Into<UploadSource>,
        metadata: impl Into<UploadMetadata>,
    ) -> SendFileFuture {
        let metadata = metadata.into();
        let kind = metadata.media_kind();
        let upload = UploadFuture::new(&self.handle, kind, source.into(), metadata);
        SendFileFuture::new(self.handle.clone(), self.id.clone(), upload)
    }

    /// Displays the user as typing until the guard is dropped: calls
    /// [`mark_as_typing`](Self::mark_as_typing) now and every 5 s, on the session's runtime.
    ///
    /// Drop the guard before sending. Without a message the display ends up to 10 s after the drop,
    /// because the service has no call to end it. The guard keeps the session alive. It stops early
    /// if the server refuses the call.
    ///
    /// ```no_run
    /// # async fn think() -> String { String::new() }
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let typing = conversation.typing();
    /// let answer = think().await;
    /// drop(typing);
    /// conversation.send(answer).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn typing(&self) -> TypingGuard {
        TypingGuard::new(&self.handle, self.id.clone())
    }

    /// Removes the session's user from the conversation, if the user participates.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// conversation.leave().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if conversation syncing is off.
    pub fn leave(&self) -> CallFuture<()> {
        self.handle.call_done(Call::DeleteParticipant {
            conversation: self.id.clone(),
            user: self.handle.me().clone(),
        })
    }

    /// Adds existing users with the same access and notification settings. Existing
    /// participants are not changed.
    ///
    /// All users are tried. The calls share frames.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// use talk_client::{Access, ParticipantParams};
    ///
    /// conversation.add_participants(["bob", "carol"], Default::default()).await?;
    /// let readers = ParticipantParams::default().access(Access::Read);
    /// conversation.add_participants(["dave"], readers).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first error of the users in their order; see
    /// [`ParticipantRef::create_if_not_exists`]. Nothing is sent if an ID is empty.
    pub fn add_participants<I>(
        &self,
        users: impl IntoIterator<Item = I>,
        params: ParticipantParams,
    ) -> CallFuture<()>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        self.for_participants(users, move |participant| {
            participant.create_if_not_exists(params.clone())
        })
    }

    /// Removes users from the conversation. Other users are skipped.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// conversation.remove_participants(["bob", "carol"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first error of the users in their order; see [`ParticipantRef::delete`]. All users are
    /// tried. Nothing is sent if an ID is empty.
    pub fn remove_participants<I>(&self, users: impl IntoIterator<Item = I>) -> CallFuture<()>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        self.for_participants(users, |participant| participant.delete())
    }

    fn for_participants<I>(
        &self,
        users: impl IntoIterator<Item = I>,
        call: impl Fn(ParticipantRef) -> CallFuture<()>,
    ) -> CallFuture<()>
    where
        I: TryInto<UserId, Error: Into<EmptyId>>,
    {
        let mut calls = Vec::new();
        for user in users {
            match self.participant(user) {
                Ok(participant) => calls.push(call(participant)),
                Err(error) => return CallFuture::failed(error.into()),
            }
        }
        CallFuture::all(calls)
    }

    /// Returns all messages as a stream, newest first or
    /// [oldest first](History::oldest_first).
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// use futures_util::TryStreamExt;
    ///
    /// let messages: Vec<_> = conversation.history().try_collect().await?;
    /// println!("{} messages", messages.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn history(&self) -> History {
        History::new(self.handle.clone(), self.id.clone())
    }

    /// Fetches all participants, in reverse order of joining. It takes one request for every 50.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// for participant in conversation.all_participants().await? {
    ///     println!("{}", participant.user.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotAParticipant`], and the errors of every request. It waits for the connection
    /// without a time limit.
    pub async fn all_participants(&self) -> Result<Vec<Arc<ParticipantSnapshot>>, Error> {
        let participants = self.subscribe_participants();
        let all = participants.load_all(PARTICIPANT_PAGE).await?;
        let all = all.ok_or(Error::NotAParticipant)?;
        Ok(all.iter().cloned().collect())
    }

    /// Subscribes to the conversation; `None` while it does not exist or the user does not
    /// participate.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let conversation = session.conversation("welcome")?.subscribe();
    /// println!("{:?}", conversation.connected().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self) -> Subscription<Option<Arc<ConversationSnapshot>>> {
        let conversation = self.id.clone();
        Subscription::new(&self.handle, Topic::Conversation { conversation })
    }

    /// Subscribes to the messages, newest first. The first page holds 30;
    /// [`load_more`](Subscription::load_more) loads 1 to 100 more. `None` while the conversation
    /// does not exist or the user does not participate.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let messages = session.conversation("welcome")?.subscribe_messages();
    /// for message in messages.connected().await?.iter().flat_map(|window| window.iter()) {
    ///     println!("{}", message.plaintext());
    /// }
    /// messages.load_more(50).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_messages(&self) -> Subscription<Option<Window<MessageSnapshot>>> {
        let conversation = self.id.clone();
        Subscription::new(&self.handle, Topic::Messages { conversation })
    }

    /// Subscribes to the participants, in reverse order of joining. The first page holds 10;
    /// [`load_more`](Subscription::load_more) loads 1 to 50 more. `None` while the conversation
    /// does not exist or the user does not participate.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let participants = session.conversation("welcome")?.subscribe_participants();
    /// for participant in participants.connected().await?.iter().flat_map(|all| all.iter()) {
    ///     println!("{}", participant.user.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_participants(&self) -> Subscription<Option<Window<ParticipantSnapshot>>> {
        let conversation = self.id.clone();
        Subscription::new(&self.handle, Topic::Participants { conversation })
    }

    /// Subscribes to the typing users except the session's. `None` while the conversation does not
    /// exist or the user does not participate.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::TypingSnapshot::Few;
    ///
    /// let typing = session.conversation("welcome")?.subscribe_typing();
    /// match typing.connected().await? {
    ///     Some(Few(users)) => println!("{} typing", users.len()),
    ///     Some(_) => println!("many typing"),
    ///     None => println!("no such conversation"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_typing(&self) -> Subscription<Option<TypingSnapshot>> {
        let conversation = self.id.clone();
        Subscription::new(&self.handle, Topic::Typing { conversation })
    }
}

/// Returns the ID, so that a ref is accepted as an ID.
impl From<ConversationRef> for ConversationId {
    fn from(conversation: ConversationRef) -> Self {
        conversation.id
    }
}

impl From<&ConversationRef> for ConversationId {
    fn from(conversation: &ConversationRef) -> Self {
        conversation.id.clone()
    }
}
