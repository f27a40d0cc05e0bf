//! A participant.

use std::sync::Arc;

use talk_proto::{
    Call, ConversationId, ParticipantParams, ParticipantSnapshot, Reply, Topic, UserId,
};

use crate::handle::{CallFuture, Handle};
use crate::subscription::Subscription;

/// A user's participation in a conversation, made by
/// [`ConversationRef::participant`](crate::ConversationRef::participant).
///
/// ```no_run
/// # async fn example(conversation: talk_client::ConversationRef) -> Result<(), talk_client::Error> {
/// let bob = conversation.participant("bob")?;
/// bob.create_if_not_exists(Default::default()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParticipantRef {
    handle: Handle,
    conversation: ConversationId,
    user: UserId,
}

impl ParticipantRef {
    pub(crate) fn new(handle: Handle, conversation: ConversationId, user: UserId) -> Self {
        Self {
            handle,
            conversation,
            user,
        }
    }

    /// The conversation's ID.
    ///
    /// ```no_run
    /// # async fn example(conversation: talk_client::ConversationRef) -> Result<(), talk_client::Error> {
    /// assert_eq!(conversation.participant("bob")?.conversation_id(), conversation.id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn conversation_id(&self) -> &ConversationId {
        &self.conversation
    }

    /// The user's ID.
    ///
    /// ```no_run
    /// # async fn example(conversation: talk_client::ConversationRef) -> Result<(), talk_client::Error> {
    /// assert_eq!(conversation.participant("bob")?.user_id().as_str(), "bob");
    /// # Ok(())
    /// # }
    /// ```
    pub fn user_id(&self) -> &UserId {
        &self.user
    }

    /// The participant, or `None` when the user is none.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let bob = session.conversation("welcome")?.participant("bob")?;
    /// println!("{}", if bob.get().await?.is_some() { "in" } else { "out" });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused when it is about somebody else and the session's user does not participate.
    pub fn get(&self) -> CallFuture<Option<Arc<ParticipantSnapshot>>> {
        let call = Call::GetParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
        };
        self.handle.call(call, |reply| match reply {
            Reply::Participant(participant) => Ok(participant),
            reply => Err(reply),
        })
    }

    /// Adds the user, who must exist, or changes what `params` names.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::{Notify, ParticipantParams};
    ///
    /// let bob = session.conversation("welcome")?.participant("bob")?;
    /// bob.set(ParticipantParams::default().notify(Notify::MentionsOnly)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused when the user does not exist, and where conversation syncing is off and the session's
    /// user does not participate, or anything but `notify` is given.
    pub fn set(&self, params: ParticipantParams) -> CallFuture<()> {
        self.handle.call_done(Call::SetParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
            params,
        })
    }

    /// Changes what `params` names.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::{Access, ParticipantParams};
    ///
    /// let bob = session.conversation("welcome")?.participant("bob")?;
    /// bob.edit(ParticipantParams::default().access(Access::Read)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused when the user does not participate, and as for [`set`](Self::set).
    pub fn edit(&self, params: ParticipantParams) -> CallFuture<()> {
        self.handle.call_done(Call::EditParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
            params,
        })
    }

    /// Adds the user, who must exist; one who participates is left as they are.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let bob = session.conversation("welcome")?.participant("bob")?;
    /// bob.create_if_not_exists(Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused when the user does not exist, and when they do not participate and conversation
    /// syncing is off.
    pub fn create_if_not_exists(&self, params: ParticipantParams) -> CallFuture<()> {
        self.handle.call_done(Call::CreateParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
            params,
        })
    }

    /// Removes the user from the conversation, if they are in it.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// session.conversation("welcome")?.participant("bob")?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refused where conversation syncing is off.
    pub fn delete(&self) -> CallFuture<()> {
        self.handle.call_done(Call::DeleteParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
        })
    }

    /// The participant from now on: `None` as long as the user is none, or the session's user
    /// does not participate.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let bob = session.conversation("welcome")?.participant("bob")?.subscribe();
    /// println!("{:?}", bob.connected().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self) -> Subscription<Option<Arc<ParticipantSnapshot>>> {
        let topic = Topic::Participant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
        };
        Subscription::new(&self.handle, topic)
    }
}
