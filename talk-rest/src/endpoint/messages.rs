//! Messages, reactions and imports.

use http::Method;
use serde_json::{Value, json};
use talk_proto::model::{Emoji, EmptyId, UserId};

use super::id::id;
use crate::call::{Call, Payload, list};
use crate::error::InvalidCall;
use crate::list::List;
use crate::model::{Message, Reactor, SentMessage};
use crate::params::EditMessage;
use crate::path::path;

/// The number of messages in a call of an import.
const CHUNK_SIZE: usize = 100;

/// The largest number that a third party reports to work.
const MAX_CHUNK_SIZE: usize = 1000;

/// The calls that concern a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct MessageEndpoint {
    pub(super) path: String,
}

impl MessageEndpoint {
    /// Reads the message.
    pub fn get(&self) -> Call<Message> {
        Call::reading(self.path.clone())
    }

    /// Changes the content or the custom data.
    pub fn edit(&self, changes: EditMessage) -> Call<()> {
        Call::writing(Method::PUT, self.path.clone(), &changes)
    }

    /// Deletes the message.
    pub fn delete(&self) -> Call<()> {
        Call::deleting(self.path.clone())
    }

    /// Lists the users that reacted with an emoji, oldest first (our choice).
    ///
    /// # Errors
    /// [`EmptyId`] if the emoji is empty.
    pub fn reactions<E>(&self, emoji: E) -> Result<List<Reactor>, EmptyId>
    where
        E: TryInto<Emoji, Error: Into<EmptyId>>,
    {
        let emoji: Emoji = id(emoji)?;
        Ok(List::new(
            self.path.clone() + &path(&["reactions", emoji.as_str()]),
        ))
    }

    /// Adds the reaction of a user. Adding it again has no effect.
    ///
    /// # Errors
    /// [`EmptyId`] if the emoji or the user's ID is empty.
    pub fn react<E, U>(&self, emoji: E, user: U) -> Result<Call<()>, EmptyId>
    where
        E: TryInto<Emoji, Error: Into<EmptyId>>,
        U: TryInto<UserId, Error: Into<EmptyId>>,
    {
        Ok(self.reaction(Method::PUT, &id(emoji)?, &id(user)?))
    }

    /// Removes the reaction of a user. Removing it again has no effect.
    ///
    /// # Errors
    /// [`EmptyId`] if the emoji or the user's ID is empty.
    pub fn remove_reaction<E, U>(&self, emoji: E, user: U) -> Result<Call<()>, EmptyId>
    where
        E: TryInto<Emoji, Error: Into<EmptyId>>,
        U: TryInto<UserId, Error: Into<EmptyId>>,
    {
        Ok(self.reaction(Method::DELETE, &id(emoji)?, &id(user)?))
    }

    fn reaction(&self, method: Method, emoji: &Emoji, user: &UserId) -> Call<()> {
        let path = self.path.clone() + &path(&["reactions", emoji.as_str(), user.as_str()]);
        Call::writing(method, path, &json!({}))
    }
}

/// An import of messages into a conversation.
#[derive(Clone)]
#[must_use]
pub struct Import {
    path: String,
    messages: Vec<Value>,
    chunk_size: usize,
}

impl Import {
    pub(super) fn new(path: String, messages: Vec<Value>) -> Self {
        Self {
            path,
            messages,
            chunk_size: CHUNK_SIZE,
        }
    }

    /// Sets the number of messages in a call (default 100, up to 1,000). The documentation of the
    /// service says 10 in one place, and 100 in another.
    pub fn chunk_size(mut self, size: usize) -> Self {
        self.chunk_size = size;
        self
    }

    /// Returns the calls. Make them one after the other. The service does not recognise
    /// repetitions, so a repeated call imports its messages twice.
    ///
    /// # Errors
    /// [`InvalidCall::ChunkSize`].
    pub fn calls(
        self,
    ) -> Result<impl ExactSizeIterator<Item = Call<Vec<SentMessage>>>, InvalidCall> {
        let (size, max) = (self.chunk_size, MAX_CHUNK_SIZE);
        if !(1..=max).contains(&size) {
            return Err(InvalidCall::ChunkSize { size, max });
        }
        let chunks: Vec<_> = self.messages.chunks(size).map(|it| json!(it)).collect();
        let calls = chunks.into_iter().map(move |chunk| {
            let payload = Payload::Import(chunk);
            Call::new(Method::POST, self.path.clone(), payload, list)
        });
        Ok(calls)
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("messages", &self.messages.len())
            .field("chunk_size", &self.chunk_size)
            .finish_non_exhaustive()
    }
}
