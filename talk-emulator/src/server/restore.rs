//! Restoring a server from stored records.

use serde::de::DeserializeOwned;
use talk_proto::Timestamp;

use super::content::{self, Attachments};
use super::conversation::Conversation;
use super::machine::{App, Server};
use super::message::{Message, Messages};
use super::record::{Checkpoint, Key, Unreadable};
use super::settings::Settings;
use super::store::{LogicalClock, Store};

/// A part of the stored records. Decoding messages takes most of the time of a restore, so threads
/// can share it.
#[derive(Debug)]
pub(crate) enum StoredPart {
    Record(Key, String),
    Messages(StoredMessages),
}

/// Decoded messages of a conversation.
#[derive(Debug)]
pub(crate) struct StoredMessages {
    app: String,
    conversation: String,
    /// The ID of the first message.
    first: String,
    messages: Messages,
}

impl StoredMessages {
    /// Decodes messages of a conversation from their IDs and values. Returns `None` without
    /// messages.
    pub(crate) fn decode<'a>(
        app: &str,
        conversation: &str,
        rows: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Option<Self>, Unreadable> {
        let mut messages = Vec::new();
        for (id, value) in rows {
            let message = serde_json::from_str(value);
            let message: Message = message.map_err(|error| Unreadable {
                key: message_key(app, conversation, id),
                reason: error.to_string(),
            })?;
            messages.push((message.place(), message));
        }
        let first = messages.first().map(|(_, message)| message.id.clone());
        Ok(first.map(|first| Self {
            app: app.to_owned(),
            conversation: conversation.to_owned(),
            first,
            messages: Messages::from_stored(messages),
        }))
    }
}

fn message_key(app: &str, conversation: &str, message: &str) -> Key {
    Key::Message {
        app: app.to_owned(),
        conversation: conversation.to_owned(),
        message: message.to_owned(),
    }
}

impl Server {
    /// Restores a server from stored records, ordered by key. From then on
    /// [`take_changes`](Self::take_changes) reports its changes.
    ///
    /// A record of settings is ignored in favour of `settings`. `seed` applies only without a
    /// record of [`Key::Random`].
    ///
    /// # Errors
    ///
    /// Returns an error if a record was not written by a server.
    pub fn restore(
        settings: Settings,
        seed: u64,
        now: Timestamp,
        records: impl IntoIterator<Item = (Key, String)>,
    ) -> Result<Self, Unreadable> {
        let parts = records.into_iter();
        let parts = parts.map(|(key, value)| Ok(StoredPart::Record(key, value)));
        Self::restore_parts(settings, seed, now, parts)
    }

    /// Restores a server from parts of the stored records, or returns their first error.
    pub(crate) fn restore_parts<E: From<Unreadable>>(
        settings: Settings,
        seed: u64,
        now: Timestamp,
        parts: impl IntoIterator<Item = Result<StoredPart, E>>,
    ) -> Result<Self, E> {
        let mut server = Self::new(settings, seed, now);
        for part in parts {
            match part? {
                StoredPart::Record(key, value) => server.restore_record(key, &value)?,
                StoredPart::Messages(messages) => server.restore_messages(messages)?,
            }
        }
        let origin = server.settings.origin.clone();
        server.rebuild_indexes(&origin);
        server.checkpoint = Some(Checkpoint::default());
        server.webhooks.rebuild();
        server.restore_notifications();
        server.start_webhooks();
        Ok(server)
    }

    /// Rebuilds the state derived from the records of all apps.
    pub(super) fn rebuild_indexes(&mut self, origin: &str) {
        for (app, state) in &mut self.apps {
            state.store.rebuild_indexes(app, origin);
        }
    }

    pub(super) fn restore_record(&mut self, key: Key, value: &str) -> Result<(), Unreadable> {
        match &key {
            Key::Settings => {}
            Key::Random => self.random.set_state(parse(&key, value)?),
            Key::App { app } => {
                let clock: LogicalClock = parse(&key, value)?;
                self.app_mut(app).store.clock = clock;
            }
            Key::User { app, user } => {
                let state = parse(&key, value)?;
                self.store_of(app).users.restore(user.clone(), state);
            }
            Key::File { app, token } => {
                let state = parse(&key, value)?;
                self.store_of(app).files.restore(token.clone(), state);
            }
            Key::Conversation { app, conversation } => {
                let state = parse(&key, value)?;
                self.store_of(app)
                    .conversations
                    .restore(conversation.clone(), state);
            }
            Key::Message {
                app, conversation, ..
            } => {
                let message = parse(&key, value)?;
                let conversation = self.conversation_of(&key, app, conversation)?;
                conversation.messages.restore(message);
            }
            Key::Send {
                app,
                conversation,
                sender,
                key: send,
            } => {
                let state = parse(&key, value)?;
                let conversation = self.conversation_of(&key, app, conversation)?;
                conversation.keys.restore(sender, send.clone(), state);
            }
            Key::Webhook { .. } => self.webhooks.restore(parse(&key, value)?),
        }
        Ok(())
    }

    fn restore_messages(&mut self, stored: StoredMessages) -> Result<(), Unreadable> {
        let StoredMessages {
            app,
            conversation,
            first,
            messages,
        } = stored;
        let key = message_key(&app, &conversation, &first);
        let conversation = self.conversation_of(&key, &app, &conversation)?;
        conversation.messages.merge(messages);
        Ok(())
    }

    fn store_of(&mut self, app: &str) -> &mut Store {
        let App { store, .. } = self.app_mut(app);
        store
    }

    fn conversation_of(
        &mut self,
        key: &Key,
        app: &str,
        conversation: &str,
    ) -> Result<&mut Conversation, Unreadable> {
        self.store_of(app)
            .conversations
            .get_mut_untracked(conversation)
            .ok_or_else(|| Unreadable {
                key: key.clone(),
                reason: "its conversation is missing".to_owned(),
            })
    }
}

impl Store {
    /// Rebuilds the state derived from the records.
    fn rebuild_indexes(&mut self, app: &str, origin: &str) {
        let ids: Vec<String> = self.conversations.keys().cloned().collect();
        for id in ids {
            let Some(conversation) = self.conversations.get_mut_untracked(&id) else {
                continue;
            };
            conversation.rebuild_indexes();
            let files = &self.files;
            let attachments = Attachments { files, app, origin };
            conversation
                .messages
                .replace_files(|content| content::moved(content, attachments));
            let users: Vec<String> = conversation.participants.keys().cloned().collect();
            for user in users {
                self.add_to_inbox(&id, &user);
            }
        }
    }
}

fn parse<T: DeserializeOwned>(key: &Key, value: &str) -> Result<T, Unreadable> {
    serde_json::from_str(value).map_err(|error| Unreadable {
        key: key.clone(),
        reason: error.to_string(),
    })
}
