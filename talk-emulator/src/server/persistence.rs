//! Storing a server's records.

use serde::Serialize;

use super::conversation::Conversation;
use super::machine::Server;
use super::record::{Change, Key};
use super::store::{Deleted, Store};

impl Server {
    /// Returns all changes since the last call. The caller stores them before it handles any later
    /// output. Each changed record appears once, except after
    /// [`restore_snapshot`](Self::restore_snapshot), where the last change of a record counts.
    ///
    /// Empty unless the server was created by [`restore`](Self::restore).
    pub fn take_changes(&mut self) -> Vec<Change> {
        let Some(mut checkpoint) = self.checkpoint.take() else {
            return Vec::new();
        };
        let mut changes = Changes {
            list: std::mem::take(&mut checkpoint.replaced),
        };
        if !std::mem::replace(&mut checkpoint.has_settings, true) {
            changes.put(Key::Settings, &self.settings);
        }
        let random = self.random.state();
        if checkpoint.random.replace(random) != Some(random) {
            changes.put(Key::Random, &random);
        }
        for (app, state) in &mut self.apps {
            if checkpoint.clocks.get(app) != Some(&state.store.clock.last()) {
                checkpoint
                    .clocks
                    .insert(app.clone(), state.store.clock.last());
                changes.put(Key::App { app: app.clone() }, &state.store.clock);
            }
            state.store.collect(app, &mut changes);
        }
        for id in self.webhooks.take_dirty() {
            let value = self.webhooks.get(&id);
            changes.record(Key::Webhook { id }, value);
        }
        self.checkpoint = Some(checkpoint);
        changes.list
    }

    /// Discards the changes if the caller does not persist them.
    pub(super) fn discard_changes(&mut self) {
        if self.checkpoint.is_none() {
            for app in self.apps.values_mut() {
                app.store.discard_changes();
            }
            self.webhooks.take_dirty();
        }
    }
}

impl Store {
    fn collect(&mut self, app: &str, changes: &mut Changes) {
        let app = || app.to_owned();
        for user in self.users.take_dirty() {
            let value = self.users.get(&user);
            let key = Key::User { app: app(), user };
            changes.record(key, value);
        }
        for token in self.files.take_dirty() {
            let value = self.files.get(&token);
            let key = Key::File { app: app(), token };
            changes.record(key, value);
        }
        for id in self.conversations.take_dirty() {
            if let Some(deleted) = self.deleted.remove(&id) {
                let conversation = self.conversations.get(&id);
                deleted.collect(app(), &id, conversation, changes);
            }
            let Some(conversation) = self.conversations.get_mut_untracked(&id) else {
                continue;
            };
            let key = Key::Conversation {
                app: app(),
                conversation: id.clone(),
            };
            changes.put(key, conversation);
            for message in conversation.messages.take_dirty() {
                let value = conversation.messages.get(&message);
                let key = Key::Message {
                    app: app(),
                    conversation: id.clone(),
                    message,
                };
                changes.record(key, value);
            }
            for (sender, send) in conversation.keys.take_dirty() {
                let value = conversation.keys.get(&sender, &send);
                let key = Key::Send {
                    app: app(),
                    conversation: id.clone(),
                    sender,
                    key: send,
                };
                changes.record(key, value);
            }
        }
    }

    fn discard_changes(&mut self) {
        self.deleted.clear();
        self.users.take_dirty();
        self.files.take_dirty();
        for id in self.conversations.take_dirty() {
            if let Some(conversation) = self.conversations.get_mut_untracked(&id) {
                conversation.messages.take_dirty();
                conversation.keys.take_dirty();
            }
        }
    }
}

impl Deleted {
    /// Collects the removed records, except those that a new conversation with the same id has.
    fn collect(self, app: String, id: &str, new: Option<&Conversation>, changes: &mut Changes) {
        let mut remove = |key| changes.list.push(Change { key, value: None });
        let conversation = || id.to_owned();
        if new.is_none() {
            remove(Key::Conversation {
                app: app.clone(),
                conversation: conversation(),
            });
        }
        for message in self.messages {
            remove(Key::Message {
                app: app.clone(),
                conversation: conversation(),
                message,
            });
        }
        for (sender, key) in self.keys {
            if new.is_none_or(|new| new.keys.get(&sender, &key).is_none()) {
                remove(Key::Send {
                    app: app.clone(),
                    conversation: conversation(),
                    sender,
                    key,
                });
            }
        }
    }
}

#[derive(Default)]
struct Changes {
    list: Vec<Change>,
}

impl Changes {
    fn record(&mut self, key: Key, value: Option<&impl Serialize>) {
        match value {
            Some(value) => self.put(key, value),
            None => self.list.push(Change { key, value: None }),
        }
    }

    fn put(&mut self, key: Key, value: &impl Serialize) {
        // Infallible: the value holds strings, numbers and JSON.
        if let Ok(value) = serde_json::to_string(value) {
            let value = Some(value);
            self.list.push(Change { key, value });
        }
    }
}
