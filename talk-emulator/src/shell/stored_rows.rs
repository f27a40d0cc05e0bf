//! Rows of a table on their way from the database to a decoder.

use rusqlite::Row;

use super::schema::{self, MESSAGES, Table};
use crate::server::{StoredMessages, StoredPart, Unreadable};

/// The size from which rows are passed on, once the next row belongs to other records.
const MIN_BYTES: usize = 256 << 10;

/// The size from which rows are passed on in any case.
const MAX_BYTES: usize = 1 << 20;

/// Rows of one table. All their texts are in one string, so that a row allocates nothing.
#[derive(Debug)]
pub(super) struct StoredRows {
    table: &'static Table,
    text: String,
    /// The end of each text: of the parts of a key, then of the value.
    ends: Vec<usize>,
}

impl StoredRows {
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            table,
            text: String::with_capacity(MIN_BYTES + MIN_BYTES / 2),
            ends: Vec::new(),
        }
    }

    /// Adds a row of [`Table::select`].
    pub(super) fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        for column in 0..=self.table.columns.len() {
            self.text.push_str(text(row, column)?);
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// Returns `true` if these rows should be passed on before `next` is added. The messages of a
    /// conversation stay together, unless they are many.
    pub(super) fn is_full(&self, next: &Row<'_>) -> rusqlite::Result<bool> {
        if self.text.len() < MIN_BYTES {
            return Ok(false);
        }
        let last = self.len() - 1;
        for column in 0..self.table.columns.len() - 1 {
            if text(next, column)? != self.cell(last, column) {
                return Ok(true);
            }
        }
        Ok(self.text.len() >= MAX_BYTES)
    }

    /// Decodes the rows.
    pub(super) fn decode(&self) -> Result<Vec<StoredPart>, Unreadable> {
        if *self.table == MESSAGES {
            self.decode_messages()
        } else {
            Ok(self.records())
        }
    }

    fn records(&self) -> Vec<StoredPart> {
        let columns = self.table.columns.len();
        let records = (0..self.len()).filter_map(|row| {
            let parts = (0..columns).map(|column| self.cell(row, column));
            let key = schema::decode_key(self.table, parts)?;
            Some(StoredPart::Record(key, self.cell(row, columns).to_owned()))
        });
        records.collect()
    }

    fn decode_messages(&self) -> Result<Vec<StoredPart>, Unreadable> {
        let conversation = |row: &usize| (self.cell(*row, 0), self.cell(*row, 1));
        let rows: Vec<usize> = (0..self.len()).collect();
        let mut parts = Vec::new();
        for rows in rows.chunk_by(|one, next| conversation(one) == conversation(next)) {
            let Some((app, id)) = rows.first().map(conversation) else {
                continue;
            };
            let messages = rows
                .iter()
                .map(|row| (self.cell(*row, 2), self.cell(*row, 3)));
            let messages = StoredMessages::decode(app, id, messages)?;
            parts.extend(messages.map(StoredPart::Messages));
        }
        Ok(parts)
    }

    /// Returns the number of rows.
    fn len(&self) -> usize {
        self.ends.len() / (self.table.columns.len() + 1)
    }

    /// Returns the content of a cell. Empty if the cell does not exist.
    fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * (self.table.columns.len() + 1) + column;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(at);
        let text = end.and_then(|end| self.text.get(*start.unwrap_or(&0)..*end));
        text.unwrap_or_default()
    }
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    Ok(row.get_ref(column)?.as_str()?)
}
