//! A store in memory, and an outbox with any number of entries.

use std::collections::BTreeMap;

use talk_proto::Output;
use talk_proto::outbox::OutboxOptions;
use talk_proto::storage::{Change, Record};

use super::client::Client;
use super::frames;
use super::server::Server;

/// A store that keeps its records only if they are read later, so that they do not count as memory
/// of the session.
#[derive(Default)]
pub(super) struct Store {
    records: Option<BTreeMap<String, String>>,
}

impl Store {
    pub(super) fn apply(&mut self, changes: Vec<Change>) {
        let Some(records) = &mut self.records else {
            return;
        };
        for change in changes {
            match change {
                Change::Put(record) => records.insert(record.key, record.value),
                Change::Delete { key } => records.remove(&key),
            };
        }
    }
}

/// Returns the options of an outbox with room for all entries.
pub(super) fn outbox() -> OutboxOptions {
    let mut options = OutboxOptions::default();
    options.entries = 100_000;
    options.bytes = 256 << 20;
    options
}

impl Client {
    /// Creates a client without a connection, with this many entries in its outbox.
    pub(crate) fn queueing(entries: u64) -> Self {
        let mut client = Self::restored(Server::default(), &[]);
        client.queue(entries);
        client
    }

    /// Adds this many entries to the outbox, and stores each of them.
    pub(crate) fn queue(&mut self, entries: u64) {
        for entry in 0..entries {
            let (session, now) = self.session();
            let message = frames::text(entry);
            let queued = session.enqueue(now, super::client::conversation(), message.into());
            queued.expect("room for an entry");
            self.store_only();
        }
    }

    /// Stores all changes. Sockets stay closed.
    fn store_only(&mut self) {
        loop {
            let (session, now) = self.session();
            match session.poll_output() {
                Some(Output::Store { batch, changes }) => {
                    session.handle_input(now, talk_proto::Input::Stored { batch });
                    self.store.apply(changes);
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Keeps the records of the store from now on.
    pub(super) fn keep_records(&mut self) {
        self.store.records = Some(BTreeMap::new());
    }

    /// Returns the kept records.
    pub(super) fn records(&self) -> Vec<Record> {
        let records = self.store.records.iter().flatten();
        let records = records.map(|(key, value)| Record::new(key, value));
        records.collect()
    }
}

/// Returns the records of this many entries.
pub(crate) fn entries(count: u64) -> Vec<Record> {
    let mut client = Client::restored(Server::default(), &[]);
    client.keep_records();
    client.queue(count);
    client.records()
}
