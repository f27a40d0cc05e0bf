//! The files of entries: their uploads, and the tokens that the server accepts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use talk_emulator::server::HttpResponse;
use talk_proto::model::EntryId;
use talk_proto::outbox::{FileSource, OutboxFile};
use talk_proto::upload::{Upload, UploadKind};
use talk_proto::{HttpBody, Timestamp};

/// The beginning of the names of all files of entries.
const NAME: &str = "file-of-entry-";

/// The files of all entries, by name.
#[derive(Default)]
pub(super) struct EntryFiles {
    files: BTreeMap<String, EntryFile>,
    /// The tokens that the server has issued for these files, and those that it still accepts.
    tokens: BTreeMap<String, bool>,
    /// Checks of files fail until this time, because the files have changed.
    pub(super) changed_until: Timestamp,
}

/// A file of an entry. Its bytes, or the end of its path, are its name.
struct EntryFile {
    entry: EntryId,
    /// The place among the files of the entry.
    place: usize,
    /// Set if the file could not be read, or had changed.
    was_unreadable: bool,
    was_attempted: bool,
    statuses: BTreeSet<u16>,
}

impl EntryFiles {
    /// Returns a file with a new name.
    pub(super) fn create(&self, place: usize, is_stored: bool) -> OutboxFile {
        let name = format!("{NAME}{}", self.files.len() + place);
        let upload = Upload::new(UploadKind::File, name.clone(), name.len() as u64);
        if is_stored {
            OutboxFile::bytes(upload, name)
        } else {
            OutboxFile::path(upload, format!("/{name}"), None)
        }
    }

    /// Records an entry with files.
    pub(super) fn enqueued(&mut self, entry: &EntryId, files: &[OutboxFile]) {
        for (place, file) in files.iter().enumerate() {
            let file_of_entry = EntryFile {
                entry: entry.clone(),
                place,
                was_unreadable: false,
                was_attempted: false,
                statuses: BTreeSet::new(),
            };
            let name = file.upload.filename.clone();
            self.files.insert(name, file_of_entry);
        }
    }

    fn of_entry(&self, entry: &EntryId) -> impl Iterator<Item = &EntryFile> {
        self.files.values().filter(move |file| file.entry == *entry)
    }

    /// Returns `true` if a file of the entry could not be read, or had changed.
    pub(super) fn was_unreadable(&self, entry: &EntryId) -> bool {
        self.of_entry(entry).any(|file| file.was_unreadable)
    }

    /// Returns `true` if the upload of a file of the entry has begun.
    pub(super) fn was_attempted(&self, entry: &EntryId) -> bool {
        self.of_entry(entry).any(|file| file.was_attempted)
    }

    /// Returns `true` if an upload of the entry was answered with this status.
    pub(super) fn had_status(&self, entry: &EntryId, status: u16) -> bool {
        self.of_entry(entry)
            .any(|file| file.statuses.contains(&status))
    }

    /// Records that the upload of a file begins. Returns the entry of the file, and its place among
    /// the files of the entry.
    pub(super) fn attempted(&mut self, name: &str) -> Option<(EntryId, usize)> {
        let file = self.files.get_mut(name)?;
        file.was_attempted = true;
        Some((file.entry.clone(), file.place))
    }

    /// Records that a file could not be read.
    pub(super) fn note_unreadable(&mut self, name: &str) {
        if let Some(file) = self.files.get_mut(name) {
            file.was_unreadable = true;
        }
    }

    /// Records the status of an answer to the upload of a file, or to its validation.
    pub(super) fn note_status(&mut self, name: &str, status: u16) {
        if let Some(file) = self.files.get_mut(name) {
            file.statuses.insert(status);
        }
    }

    /// Records the server's answer to the upload of a file.
    pub(super) fn answered(&mut self, name: &str, response: &HttpResponse) {
        self.note_status(name, response.status().as_u16());
        let body = response.body().concat();
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(token) = answer["fileToken"].as_str() {
            self.tokens.insert(token.to_owned(), true);
        }
    }

    /// Makes the server refuse all tokens that it has issued.
    pub(super) fn expire_tokens(&mut self) {
        for is_valid in self.tokens.values_mut() {
            *is_valid = false;
        }
    }

    /// Returns `true` if a message contains a token that the server refuses.
    pub(super) fn is_refused(&self, content: &Value) -> bool {
        let blocks = content.as_array().into_iter().flatten();
        let mut tokens = blocks.filter_map(|block| block["fileToken"].as_str());
        tokens.any(|token| self.tokens.get(token) == Some(&false))
    }
}

/// Returns the name of a file of an entry in a frame.
pub(super) fn name_in(frame: &str) -> Option<&str> {
    let at = frame.find(NAME)?;
    let name = frame.get(at..)?;
    name.get(..name.find('"')?)
}

/// Returns the name of the file that a request uploads, if it is of an entry.
pub(super) fn uploaded_name(body: &HttpBody) -> Option<String> {
    let HttpBody::Upload { source, .. } = body else {
        return None;
    };
    match source.as_ref()? {
        FileSource::Path { path, .. } => Some(path.strip_prefix('/')?.to_owned()),
        FileSource::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
    }
}
