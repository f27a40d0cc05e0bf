//! The database schema: one table per kind of record, with a column for each part of the key and
//! one for the value.

use crate::server::Key;

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns of the key.
    pub(super) columns: &'static [&'static str],
}

static SERVER: Table = table("server", &["name"]);
static APPS: Table = table("apps", &["app"]);
static USERS: Table = table("users", &["app", "user"]);
static FILES: Table = table("files", &["app", "token"]);
static CONVERSATIONS: Table = table("conversations", &["app", "conversation"]);
pub(super) static MESSAGES: Table = table("messages", &["app", "conversation", "message"]);
static WEBHOOKS: Table = table("webhooks", &["id"]);
static SENDS: Table = table("sends", &["app", "conversation", "sender", "key"]);

/// The tokens of uploads in progress. They are not records of the server.
pub(super) static UPLOADS: Table = table("uploads", &["token"]);

/// All tables, in the order in which a server restores their records.
pub(super) static TABLES: [&Table; 8] = [
    &SERVER,
    &APPS,
    &USERS,
    &FILES,
    &CONVERSATIONS,
    &MESSAGES,
    &SENDS,
    &WEBHOOKS,
];

const fn table(name: &'static str, columns: &'static [&'static str]) -> Table {
    Table { name, columns }
}

impl Table {
    pub(super) fn create(&self) -> String {
        let columns: String = self
            .columns
            .iter()
            .map(|column| format!("\"{column}\" TEXT NOT NULL, "))
            .collect();
        let key = self.columns.join("\", \"");
        format!(
            "CREATE TABLE IF NOT EXISTS \"{}\" ({columns}\"data\" TEXT NOT NULL, \
             PRIMARY KEY (\"{key}\")) WITHOUT ROWID",
            self.name
        )
    }

    pub(super) fn select(&self) -> String {
        let key = self.columns.join("\", \"");
        format!("SELECT \"{key}\", \"data\" FROM \"{}\"", self.name)
    }

    /// Returns the statement that reads the value of a row by the parts of its key.
    pub(super) fn select_one(&self) -> String {
        let key = self.columns.join("\" = ? AND \"");
        format!("SELECT \"data\" FROM \"{}\" WHERE \"{key}\" = ?", self.name)
    }

    /// Returns the statement that writes a row: the parts of the key, then the value.
    pub(super) fn put(&self) -> String {
        let places = ", ?".repeat(self.columns.len());
        format!("REPLACE INTO \"{}\" VALUES (?{places})", self.name)
    }

    /// Returns the statement that deletes a row by the parts of its key.
    pub(super) fn delete(&self) -> String {
        let key = self.columns.join("\" = ? AND \"");
        format!("DELETE FROM \"{}\" WHERE \"{key}\" = ?", self.name)
    }
}

const SETTINGS: &str = "settings";
const RANDOM: &str = "random";

/// Returns the table and the parts of a record's key.
pub(super) fn row_key(key: &Key) -> (&'static Table, Vec<&str>) {
    match key {
        Key::Settings => (&SERVER, vec![SETTINGS]),
        Key::Random => (&SERVER, vec![RANDOM]),
        Key::App { app } => (&APPS, vec![app.as_str()]),
        Key::User { app, user } => (&USERS, vec![app.as_str(), user]),
        Key::Webhook { id } => (&WEBHOOKS, vec![id.as_str()]),
        Key::File { app, token } => (&FILES, vec![app.as_str(), token]),
        Key::Conversation { app, conversation } => {
            (&CONVERSATIONS, vec![app.as_str(), conversation])
        }
        Key::Message {
            app,
            conversation,
            message,
        } => (&MESSAGES, vec![app.as_str(), conversation, message]),
        Key::Send {
            app,
            conversation,
            sender,
            key,
        } => (&SENDS, vec![app.as_str(), conversation, sender, key]),
    }
}

/// Returns the record's key for a row, or `None` if the row is unknown.
pub(super) fn decode_key<'a>(
    table: &Table,
    mut parts: impl Iterator<Item = &'a str>,
) -> Option<Key> {
    let mut part = || parts.next().map(str::to_owned);
    Some(match table.name {
        "server" => match part()?.as_str() {
            SETTINGS => Key::Settings,
            RANDOM => Key::Random,
            _ => return None,
        },
        "apps" => Key::App { app: part()? },
        "users" => Key::User {
            app: part()?,
            user: part()?,
        },
        "files" => Key::File {
            app: part()?,
            token: part()?,
        },
        "conversations" => Key::Conversation {
            app: part()?,
            conversation: part()?,
        },
        "messages" => Key::Message {
            app: part()?,
            conversation: part()?,
            message: part()?,
        },
        "webhooks" => Key::Webhook { id: part()? },
        "sends" => Key::Send {
            app: part()?,
            conversation: part()?,
            sender: part()?,
            key: part()?,
        },
        _ => return None,
    })
}
