//! Reading of the stored records. A thread reads rows, others decode them, and the server is
//! restored from the first ones meanwhile, so that they are never in memory all at once.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use std::vec;

use rusqlite::Connection;

use super::data_error::DataError;
use super::schema::TABLES;
use super::stored_rows::StoredRows;
use crate::server::StoredPart;

/// The number of threads that decode. Decoding takes about three times as long as reading.
const DECODERS: usize = 4;

/// The number of steps that each decoder reads ahead, and is ahead of the server.
const AHEAD: usize = 2;

/// A step on the way from the database to the server.
enum Step<T> {
    Part(T),
    End(Result<(), DataError>),
}

/// The stored records, in the order in which a server restores them.
#[derive(Debug)]
pub(crate) struct StoredRecords {
    /// The decoders take turns.
    decoders: Vec<Receiver<Step<Vec<StoredPart>>>>,
    turn: usize,
    parts: vec::IntoIter<StoredPart>,
    is_over: bool,
}

/// Reads records for [`StoredRecords`].
#[derive(Debug)]
pub(super) struct RecordReader {
    decoders: Vec<SyncSender<Step<StoredRows>>>,
    turn: usize,
}

/// Creates a reader and the records that it reads. Starts the threads that decode.
pub(super) fn stored_records() -> io::Result<(RecordReader, StoredRecords)> {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for _ in 0..DECODERS {
        let (rows, work) = sync_channel(AHEAD);
        let (decoded, parts) = sync_channel(AHEAD);
        thread::Builder::new()
            .name("talk-emulator-decoder".to_owned())
            .spawn(move || decode(&work, &decoded))?;
        inputs.push(rows);
        outputs.push(parts);
    }
    let reader = RecordReader {
        decoders: inputs,
        turn: 0,
    };
    let records = StoredRecords {
        decoders: outputs,
        turn: 0,
        parts: Vec::new().into_iter(),
        is_over: false,
    };
    Ok((reader, records))
}

/// Decodes rows, unless the receiver is dropped.
fn decode(work: &Receiver<Step<StoredRows>>, decoded: &SyncSender<Step<Vec<StoredPart>>>) {
    for step in work {
        let step = match step {
            Step::Part(rows) => match rows.decode() {
                Ok(parts) => Step::Part(parts),
                Err(error) => Step::End(Err(error.into())),
            },
            Step::End(end) => Step::End(end),
        };
        if decoded.send(step).is_err() {
            return;
        }
    }
}

impl Iterator for StoredRecords {
    type Item = Result<StoredPart, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_over {
            if let Some(part) = self.parts.next() {
                return Some(Ok(part));
            }
            let decoder = self.decoders.get(self.turn)?;
            self.turn = (self.turn + 1) % self.decoders.len();
            let end = match decoder.recv() {
                Ok(Step::Part(parts)) => {
                    self.parts = parts.into_iter();
                    continue;
                }
                Ok(Step::End(end)) => end,
                Err(_) => Err(io::Error::other("the thread that reads has ended").into()),
            };
            self.is_over = true;
            return end.err().map(Err);
        }
        None
    }
}

impl RecordReader {
    /// Reads all records, unless the receiver is dropped. Then sets the time for which the database
    /// waits for another process.
    pub(super) fn run(mut self, database: &Connection, busy_timeout: Duration) {
        let end = self.read(database);
        let end = end.and_then(|()| Ok(database.busy_timeout(busy_timeout)?));
        self.send(Step::End(end));
    }

    fn read(&mut self, database: &Connection) -> Result<(), DataError> {
        for table in TABLES {
            let mut statement = database.prepare(&table.select())?;
            let mut rows = statement.query([])?;
            let mut stored = StoredRows::new(table);
            while let Some(row) = rows.next()? {
                if stored.is_full(row)? {
                    let full = std::mem::replace(&mut stored, StoredRows::new(table));
                    if !self.send(Step::Part(full)) {
                        return Ok(());
                    }
                }
                stored.push(row)?;
            }
            self.send(Step::Part(stored));
        }
        Ok(())
    }

    /// Passes a step to the next decoder. Returns `false` if the records are not needed any more,
    /// because the start has failed for another reason.
    fn send(&mut self, step: Step<StoredRows>) -> bool {
        let Some(decoder) = self.decoders.get(self.turn) else {
            return false;
        };
        self.turn = (self.turn + 1) % self.decoders.len();
        decoder.send(step).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use rusqlite::{Connection, params_from_iter};
    use serde_json::json;

    use super::stored_records;
    use crate::server::{Key, Server, Settings, Timestamp};
    use crate::shell::DataError;
    use crate::shell::schema::{TABLES, row_key};

    fn conversation(id: &str) -> (Key, String) {
        let key = Key::Conversation {
            app: "app".to_owned(),
            conversation: id.to_owned(),
        };
        let value = json!({
            "subject": null, "photo_url": null, "welcome_messages": [], "custom": {},
            "created_at": 1, "participants": {},
        });
        (key, value.to_string())
    }

    /// Returns a message. The order of the times differs from that of the IDs.
    fn message(conversation: &str, number: u64) -> (Key, String) {
        let id = format!("msg_{number:04}");
        let key = Key::Message {
            app: "app".to_owned(),
            conversation: conversation.to_owned(),
            message: id.clone(),
        };
        let quoted = (number % 3 == 1).then(|| format!("msg_{:04}", number - 1));
        let value = json!({
            "id": id, "kind": "UserMessage", "sender": "alice", "custom": {},
            "created_at": 1 + number * 7919 % 1000, "edited_at": null, "referenced": quoted,
            "content": [{ "type": "text", "children": ["x".repeat(5000)] }],
            "reactions": {}, "origin": "rest",
        });
        (key, value.to_string())
    }

    /// Restores a server from records in a database.
    fn restore(records: &[(Key, String)]) -> Result<Server, DataError> {
        let database = Connection::open_in_memory()?;
        for table in TABLES {
            database.execute(&table.create(), [])?;
        }
        for (key, value) in records {
            let (table, parts) = row_key(key);
            let row = parts.into_iter().chain([value.as_str()]);
            database.execute(&table.put(), params_from_iter(row))?;
        }
        let (reader, stored) = stored_records()?;
        let reading = thread::spawn(move || reader.run(&database, Duration::ZERO));
        let server = Server::restore_parts(Settings::default(), 1, Timestamp::default(), stored);
        reading.join().unwrap();
        server
    }

    #[test]
    fn restore_parts_large_conversation_is_complete() {
        let mut records = vec![conversation("large"), conversation("small")];
        records.extend((0..600).map(|number| message("large", number)));
        records.extend((0..10).map(|number| message("small", number)));
        let restored = restore(&records).unwrap();
        let now = Timestamp::default();
        let expected = Server::restore(Settings::default(), 1, now, records).unwrap();
        let [restored, expected] = [restored, expected].map(|server| {
            let snapshot = server.snapshot();
            assert_eq!(snapshot.len(), 1 + 2 + 610);
            serde_json::to_string(&snapshot).unwrap()
        });
        assert!(restored == expected, "the snapshots differ");
    }

    #[test]
    fn restore_parts_unreadable_message_names_key() {
        let mut records = vec![conversation("c"), message("c", 1), message("c", 2)];
        records[2].1 = "[]".to_owned();
        let key = records[2].0.clone();
        let error = restore(&records).unwrap_err();
        assert!(
            matches!(&error, DataError::Unreadable(it) if it.key == key),
            "{error}"
        );
        let orphan = message("gone", 1);
        let error = restore(std::slice::from_ref(&orphan)).unwrap_err();
        assert!(
            matches!(&error, DataError::Unreadable(it) if it.key == orphan.0),
            "{error}"
        );
    }
}
