//! Reading of the stored records. The server is restored from the first ones while the others are
//! read, so that they are never in memory all at once.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use std::vec;

use rusqlite::Connection;

use super::data_error::DataError;
use super::schema::{self, TABLES};
use crate::server::Key;

/// The number of records that are passed on together.
const CHUNK: usize = 256;

/// The number of chunks that are read ahead.
const READ_AHEAD: usize = 8;

type Record = (Key, String);

enum Part {
    Records(Vec<Record>),
    End(Result<(), DataError>),
}

/// The stored records, in the order in which a server restores them.
#[derive(Debug)]
pub(crate) struct StoredRecords {
    parts: Receiver<Part>,
    records: vec::IntoIter<Record>,
    end: Option<Result<(), DataError>>,
}

/// Reads records for [`StoredRecords`].
#[derive(Debug)]
pub(super) struct RecordReader {
    parts: SyncSender<Part>,
}

/// Creates a reader and the records that it reads.
pub(super) fn stored_records() -> (RecordReader, StoredRecords) {
    let (sender, parts) = sync_channel(READ_AHEAD);
    let records = StoredRecords {
        parts,
        records: Vec::new().into_iter(),
        end: None,
    };
    (RecordReader { parts: sender }, records)
}

impl StoredRecords {
    /// Returns the error that has ended the records, if any.
    pub(crate) fn finish(self) -> Result<(), DataError> {
        let ended = || io::Error::other("the thread that reads has ended").into();
        self.end.unwrap_or_else(|| Err(ended()))
    }
}

impl Iterator for StoredRecords {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.records.next() {
                return Some(record);
            }
            if self.end.is_some() {
                return None;
            }
            match self.parts.recv().ok()? {
                Part::Records(records) => self.records = records.into_iter(),
                Part::End(end) => self.end = Some(end),
            }
        }
    }
}

impl RecordReader {
    /// Reads all records, unless the receiver is dropped. Then sets the time for which the database
    /// waits for another process.
    pub(super) fn run(self, database: &Connection, busy_timeout: Duration) {
        let end = self.read(database);
        let end = end.and_then(|()| Ok(database.busy_timeout(busy_timeout)?));
        // Without a receiver, the start has failed for another reason.
        let _ = self.parts.send(Part::End(end));
    }

    fn read(&self, database: &Connection) -> Result<(), DataError> {
        let mut records = Vec::with_capacity(CHUNK);
        for table in TABLES {
            let mut statement = database.prepare(&table.select())?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let parts = (0..table.columns.len()).map(|at| row.get(at));
                let parts = parts.collect::<Result<_, _>>()?;
                if let Some(key) = schema::decode_key(table, parts) {
                    records.push((key, row.get(table.columns.len())?));
                }
                if records.len() == CHUNK {
                    let full = std::mem::replace(&mut records, Vec::with_capacity(CHUNK));
                    if self.parts.send(Part::Records(full)).is_err() {
                        return Ok(());
                    }
                }
            }
        }
        let _ = self.parts.send(Part::Records(records));
        Ok(())
    }
}
