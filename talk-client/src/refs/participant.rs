//! Refs of participants.

use std::sync::Arc;

use talk_proto::{
    Call, Reply, Topic,
    model::{ConversationId, ParticipantParams, ParticipantSnapshot, UserId},
};

use crate::handle::{CallFuture, Handle};
use crate::subscription::Subscription;

/// A ref of a user's participation in a conversation, created by
/// [`ConversationRef::participant`](crate::ConversationRef::participant).
///
/// ```no_run
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
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

    /// Returns the conversation's ID.
    pub fn conversation_id(&self) -> &ConversationId {
        &self.conversation
    }

    /// Returns the user's ID.
    pub fn user_id(&self) -> &UserId {
        &self.user
    }

    /// Fetches the participant; `None` if the user does not participate.
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
    /// The server refuses the call if the session's user does not participate, unless the
    /// participant is the session's user.
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

    /// Adds the user, or changes the values in `params`. The user must exist.
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
    /// The server refuses the call if the user does not exist, or if conversation syncing is off
    /// and the session's user does not participate or `params` holds more than `notify`.
    pub fn set(&self, params: ParticipantParams) -> CallFuture<()> {
        self.handle.call_done(Call::SetParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
            params,
        })
    }

    /// Changes the values in `params`.
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
    /// The server refuses the call if the user does not participate, or for the reasons that
    /// [`set`](Self::set) names.
    pub fn edit(&self, params: ParticipantParams) -> CallFuture<()> {
        self.handle.call_done(Call::EditParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
            params,
        })
    }

    /// Adds the user. An existing participant is not changed. The user must exist.
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
    /// The server refuses the call if the user does not exist, or does not participate while
    /// conversation syncing is off.
    pub fn create_if_not_exists(&self, params: ParticipantParams) -> CallFuture<()> {
        self.handle.call_done(Call::CreateParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
            params,
        })
    }

    /// Removes the user from the conversation, if the user participates.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// session.conversation("welcome")?.participant("bob")?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if conversation syncing is off.
    pub fn delete(&self) -> CallFuture<()> {
        self.handle.call_done(Call::DeleteParticipant {
            conversation: self.conversation.clone(),
            user: self.user.clone(),
        })
    }

    /// Subscribes to the participant; `None` while the user or the session's user does not
    /// participate.
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
