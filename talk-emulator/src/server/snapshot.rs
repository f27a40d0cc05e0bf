//! Snapshots of the data, and their restoration.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use talk_proto::Timestamp;

use super::fault::Faults;
use super::file::FileMetadata;
use super::machine::Server;
use super::record::{Change, Key, Unreadable};
use super::settings::Settings;
use super::store::Store;
use super::timers::Timers;

/// A copy of the data of all apps: users, conversations, messages and the metadata of files. The
/// contents of files, the settings and webhooks are not part of it. The export of the control API
/// adds the contents of files.
///
/// `Debug` does not show the data. The JSON form is for files; it may change between versions of
/// the emulator.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Snapshot {
    records: Vec<Record>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Record {
    key: Key,
    value: Box<RawValue>,
}

impl Snapshot {
    /// Returns the number of records: apps, users, conversations, messages, files and idempotency
    /// keys.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns `true` if there is no data.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Iterates over the tokens and sizes of the files.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.records.iter().filter_map(|record| match &record.key {
            Key::File { token, .. } => {
                let file: FileMetadata = serde_json::from_str(record.value.get()).ok()?;
                Some((token.as_str(), file.size))
            }
            _ => None,
        })
    }

    fn put(&mut self, key: Key, value: &impl Serialize) {
        // Infallible: the value holds strings, numbers and JSON.
        if let Ok(value) = to_raw_value(value) {
            self.records.push(Record { key, value });
        }
    }
}

impl Server {
    /// Returns a copy of the data of all apps.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (app, state) in &self.apps {
            let key = Key::App { app: app.clone() };
            snapshot.put(key, &state.store.clock);
            state.store.copy(app, &mut snapshot);
        }
        snapshot
    }

    /// Replaces the data of all apps. The settings and the time stay.
    ///
    /// All connections are closed as by a planned restart. Injected faults, recorded requests and
    /// webhooks are discarded. New IDs differ from all earlier ones.
    ///
    /// # Errors
    ///
    /// Returns an error if a record cannot be read. The data is then unchanged.
    pub fn restore_snapshot(
        &mut self,
        now: Timestamp,
        snapshot: &Snapshot,
    ) -> Result<(), Unreadable> {
        self.advance(now);
        let mut fresh = Self::new(Settings::default(), 0, self.now);
        let records = snapshot.records.iter().filter(|it| is_data(&it.key));
        for Record { key, value } in records.clone() {
            fresh.restore_record(key.clone(), value.get())?;
        }
        fresh.rebuild_indexes(&self.settings.origin);

        self.restart();
        self.flush();
        let mut changes = self.take_changes_by_key();
        changes.extend(self.snapshot().records.into_iter().map(|it| (it.key, None)));
        self.apps = fresh.apps;
        self.timers = Timers::default();
        self.restore_notifications();
        self.faults = Faults::default();
        self.requests.clear();
        self.clear_webhooks();
        let values = records.map(|it| (it.key.clone(), Some(it.value.get().to_owned())));
        changes.extend(values);
        self.replace_changes(changes);
        self.data_version += 1;
        self.inspector.push_data(self.now, None);
        Ok(())
    }

    /// Removes the data of all apps. The effects on connections, faults, requests and webhooks are
    /// those of [`restore_snapshot`](Self::restore_snapshot).
    pub fn clear(&mut self, now: Timestamp) {
        // Infallible: there is no record to read.
        let _ = self.restore_snapshot(now, &Snapshot::default());
    }

    fn take_changes_by_key(&mut self) -> BTreeMap<Key, Option<String>> {
        let changes = self.take_changes().into_iter();
        changes.map(|it| (it.key, it.value)).collect()
    }

    /// Sets the changes to report next, in addition to those of the current data.
    fn replace_changes(&mut self, changes: BTreeMap<Key, Option<String>>) {
        let Some(checkpoint) = &mut self.checkpoint else {
            return;
        };
        let changes = changes.into_iter();
        checkpoint.replaced = changes.map(|(key, value)| Change { key, value }).collect();
        let clocks = self.apps.iter();
        let clocks = clocks.map(|(app, state)| (app.clone(), state.store.clock.last()));
        checkpoint.clocks = clocks.collect();
    }
}

/// Returns `true` for records of data. Other records in a snapshot file are ignored.
fn is_data(key: &Key) -> bool {
    !matches!(key, Key::Settings | Key::Random | Key::Webhook { .. })
}

impl Store {
    fn copy(&self, app: &str, snapshot: &mut Snapshot) {
        let app = || app.to_owned();
        for (user, value) in self.users.iter() {
            let user = user.clone();
            snapshot.put(Key::User { app: app(), user }, value);
        }
        for (token, value) in self.files.iter() {
            let token = token.clone();
            snapshot.put(Key::File { app: app(), token }, value);
        }
        for (id, conversation) in self.conversations.iter() {
            let id = || id.clone();
            let key = Key::Conversation {
                app: app(),
                conversation: id(),
            };
            snapshot.put(key, conversation);
            for message in conversation.messages.before(None) {
                let key = Key::Message {
                    app: app(),
                    conversation: id(),
                    message: message.id.clone(),
                };
                snapshot.put(key, message);
            }
            for (sender, send) in conversation.keys.all() {
                let Some(value) = conversation.keys.get(&sender, &send) else {
                    continue;
                };
                let key = Key::Send {
                    app: app(),
                    conversation: id(),
                    sender: sender.clone(),
                    key: send.clone(),
                };
                snapshot.put(key, value);
            }
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("records", &self.records.len())
            .finish()
    }
}
