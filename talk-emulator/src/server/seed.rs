//! Initial data of an app: users, conversations and their history.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use talk_proto::Timestamp;
use talk_proto::content::{MarkupSource, parse_markup, to_wire_json};

use super::machine::{App, Server};
use super::object_only::object_only;
use super::refusal::Refusal;
use super::reply::Body;
use super::request_cx::RequestCx;
use super::rest::MAX_ID;
use super::settings::Settings;
use super::{conversations, messages, participants, reactions, users};

/// Initial data of one app.
///
/// ```
/// use talk_emulator::server::Seed;
///
/// let seed: Seed = serde_json::from_str(r#"{
///     "app": "my_app",
///     "users": {"alice": {"name": "Alice"}, "bob": {"name": "Bob"}},
///     "conversations": [{
///         "id": "lobby",
///         "participants": ["alice", "bob"],
///         "messages": [{"sender": "alice", "text": "Hi *Bob*!", "minutesAgo": 5}]
///     }]
/// }"#)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// The methods build the same in code:
///
/// ```
/// use talk_emulator::Seed;
///
/// let seed = Seed::new("my_app")
///     .user("alice", "Alice")
///     .user("bob", "Bob")
///     .conversation("lobby", ["alice", "bob"])
///     .message_ago(5, "lobby", "alice", "Hi *Bob*!")
///     .message("lobby", "bob", "Hi!");
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Seed {
    /// The ID of the app.
    pub app: String,
    /// The users by id.
    #[serde(default)]
    pub users: BTreeMap<String, SeedUser>,
    /// The conversations.
    #[serde(default)]
    pub conversations: Vec<SeedConversation>,
}

/// A user of a [`Seed`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", remote = "Self")]
pub struct SeedUser {
    /// The display name.
    pub name: String,
    /// The role. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The URL of the profile picture. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
    /// The custom data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
}

/// A conversation of a [`Seed`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", remote = "Self")]
pub struct SeedConversation {
    /// The id.
    pub id: String,
    /// The title. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The URL of the picture. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
    /// The custom data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
    /// The IDs of the participants. The first one creates the conversation.
    pub participants: Vec<String>,
    /// The messages, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<SeedMessage>,
}

/// A message of a [`Seed`]. `Debug` does not show the text.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", remote = "Self")]
pub struct SeedMessage {
    /// The ID of the sender, a participant.
    pub sender: String,
    /// The text with markup, as a client's `send` reads it.
    pub text: String,
    /// The age of the message at the start.
    #[serde(default)]
    pub minutes_ago: u32,
    /// The custom data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
    /// The IDs of the users that reacted, by emoji.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reactions: BTreeMap<String, BTreeSet<String>>,
}

impl fmt::Debug for SeedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeedMessage")
            .field("sender", &self.sender)
            .field("minutes_ago", &self.minutes_ago)
            .finish_non_exhaustive()
    }
}

object_only!(Seed, SeedUser, SeedConversation, SeedMessage);

/// The error for a seed that cannot be applied. Entries before the refused one are stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot create the {entry} of the seed: {reason}")]
pub struct SeedError {
    /// The entry that was refused.
    pub entry: String,
    /// The cause.
    pub reason: String,
}

/// The settings for seeds: they may hold everything that a back end may write.
static PERMISSIVE: LazyLock<Settings> = LazyLock::new(Settings::default);

/// An entry of a seed.
enum Entry<'a> {
    User(&'a str, &'a SeedUser),
    Conversation(&'a SeedConversation),
    Message(&'a SeedConversation, &'a SeedMessage),
}

/// The treatment of conversations that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refuse,
    Change,
}

impl Server {
    /// Stores a seed, unless its app has users already. Returns `true` if it was stored.
    ///
    /// Messages are sent at their times in the past, so that counts of unread messages and read
    /// positions follow from them.
    ///
    /// # Errors
    ///
    /// Returns an error for an entry that the server refuses, such as a message whose sender is
    /// not in the conversation.
    pub fn seed(&mut self, now: Timestamp, seed: &Seed) -> Result<bool, SeedError> {
        self.advance(now);
        let is_empty = |app: &App| app.store.users.is_empty();
        if !self.apps.get(&seed.app).is_none_or(is_empty) {
            return Ok(false);
        }
        self.store_seed(seed, Existing::Refuse).map(|()| true)
    }

    /// Adds a seed to the data. Users and conversations that exist are changed, and messages are
    /// added.
    ///
    /// # Errors
    ///
    /// Returns an error for an entry that the server refuses. The entries before it are stored.
    pub fn add_seed(&mut self, now: Timestamp, seed: &Seed) -> Result<(), SeedError> {
        self.advance(now);
        self.store_seed(seed, Existing::Change)
    }

    fn store_seed(&mut self, seed: &Seed, existing: Existing) -> Result<(), SeedError> {
        seed.check_ids()?;
        let mut entries = seed.entries().into_iter();
        let result = entries.try_for_each(|(age, entry)| {
            let created = self.create(&seed.app, self.now - age, &entry, existing);
            created.map_err(|refusal| SeedError {
                entry: entry.name(),
                reason: refusal.reason().to_owned(),
            })
        });
        self.flush();
        result
    }

    fn create(
        &mut self,
        app: &str,
        at: Timestamp,
        entry: &Entry<'_>,
        existing: Existing,
    ) -> Result<(), Refusal> {
        let mut act_as = |user: &str, act: &dyn Fn(&mut RequestCx<'_>) -> Result<(), Refusal>| {
            self.with_cx(app, user, |cx| {
                cx.now = at;
                cx.settings = &PERMISSIVE;
                act(cx)
            })
        };
        match entry {
            Entry::User(id, user) => {
                let data = raw(user)?;
                act_as(id, &|cx| users::set(cx, id, Body(Some(&data))).map(drop))
            }
            Entry::Conversation(it) => {
                let data = it.request()?;
                let data = Body(Some(&data));
                let creator = it.participants.first().map_or("", String::as_str);
                act_as(creator, &|cx| {
                    match existing {
                        Existing::Refuse => conversations::create(cx, &it.id, data)?,
                        Existing::Change => conversations::set(cx, &it.id, data)?,
                    };
                    it.participants.iter().try_for_each(|user| {
                        let participants = &cx.store.conversation(&it.id)?.participants;
                        let is_in = existing == Existing::Change && participants.contains_key(user);
                        match is_in {
                            true => Ok(()),
                            false => participants::add(cx, &it.id, user),
                        }
                    })
                })
            }
            Entry::Message(it, message) => {
                let data = message.request()?;
                act_as(&message.sender, &|cx| {
                    messages::create(cx, &it.id, Body(Some(&data))).map(drop)
                })?;
                for (emoji, users) in &message.reactions {
                    for user in users {
                        act_as(user, &|cx| react(cx, &it.id, emoji))?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl Seed {
    /// Creates an empty seed of an app.
    pub fn new(app: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            users: BTreeMap::new(),
            conversations: Vec::new(),
        }
    }

    /// Adds a user with a display name.
    pub fn user(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        let user = SeedUser {
            name: name.into(),
            ..SeedUser::default()
        };
        self.users.insert(id.into(), user);
        self
    }

    /// Adds a conversation of users of the seed. The first participant creates it.
    pub fn conversation<P: Into<String>>(
        mut self,
        id: impl Into<String>,
        participants: impl IntoIterator<Item = P>,
    ) -> Self {
        self.conversations.push(SeedConversation {
            id: id.into(),
            participants: participants.into_iter().map(Into::into).collect(),
            ..SeedConversation::default()
        });
        self
    }

    /// Adds a message to a conversation, sent at the start.
    pub fn message(
        self,
        conversation: impl Into<String>,
        sender: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.message_ago(0, conversation, sender, text)
    }

    /// Adds a message to a conversation, sent some minutes before the start.
    pub fn message_ago(
        mut self,
        minutes: u32,
        conversation: impl Into<String>,
        sender: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        let id = conversation.into();
        let message = SeedMessage {
            sender: sender.into(),
            text: text.into(),
            minutes_ago: minutes,
            ..SeedMessage::default()
        };
        match self.conversations.iter_mut().find(|known| known.id == id) {
            Some(conversation) => conversation.messages.push(message),
            // Refused later, with the ID.
            None => self.conversations.push(SeedConversation {
                id,
                messages: vec![message],
                ..SeedConversation::default()
            }),
        }
        self
    }

    /// Refuses IDs that requests cannot name.
    fn check_ids(&self) -> Result<(), SeedError> {
        let app = ("app", &self.app);
        let users = self.users.keys().map(|id| ("user", id));
        let conversations = self.conversations.iter();
        let conversations = conversations.map(|it| ("conversation", &it.id));
        let mut ids = std::iter::once(app).chain(users).chain(conversations);
        let refused = ids.find(|(_, id)| id.is_empty() || id.len() > MAX_ID);
        refused.map_or(Ok(()), |(kind, id)| {
            Err(SeedError {
                entry: format!("{kind} {id:?}"),
                reason: format!("An ID has 1 to {MAX_ID} bytes."),
            })
        })
    }

    /// Returns the entries with their ages, oldest first. Times in the store only increase.
    fn entries(&self) -> Vec<(Duration, Entry<'_>)> {
        let mut entries = Vec::new();
        for conversation in &self.conversations {
            let ages = conversation.messages.iter().map(SeedMessage::age);
            let age = ages.max().unwrap_or_default();
            entries.push((age, Entry::Conversation(conversation)));
            for message in &conversation.messages {
                entries.push((message.age(), Entry::Message(conversation, message)));
            }
        }
        entries.sort_by_key(|(age, _)| std::cmp::Reverse(*age));
        let oldest = entries.first().map_or(Duration::ZERO, |(age, _)| *age);
        let users = self.users.iter();
        let users = users.map(|(id, user)| (oldest, Entry::User(id, user)));
        users.chain(entries).collect()
    }
}

impl SeedConversation {
    /// Returns the data of the request that creates or changes the conversation.
    fn request(&self) -> Result<Box<RawValue>, Refusal> {
        let mut data = json!({ "custom": self.custom });
        if let Some(subject) = &self.subject {
            data["subject"] = subject.as_str().into();
        }
        if let Some(photo_url) = &self.photo_url {
            data["photoUrl"] = photo_url.as_str().into();
        }
        raw(&data)
    }
}

impl SeedMessage {
    fn age(&self) -> Duration {
        Duration::from_secs(60) * self.minutes_ago
    }

    /// Returns the data of the request that sends the message.
    fn request(&self) -> Result<Box<RawValue>, Refusal> {
        let content = to_wire_json(&parse_markup(&self.text, MarkupSource::Send));
        let content = RawValue::from_string(content).map_err(unreadable)?;
        let custom = raw(&self.custom)?;
        raw(&BTreeMap::from([("content", content), ("custom", custom)]))
    }
}

impl Entry<'_> {
    fn name(&self) -> String {
        match self {
            Self::User(id, _) => format!("user {id:?}"),
            Self::Conversation(it) => format!("conversation {:?}", it.id),
            Self::Message(it, message) => {
                format!("message of {:?} in {:?}", message.sender, it.id)
            }
        }
    }
}

/// Adds a reaction to the last message.
fn react(cx: &mut RequestCx<'_>, conversation: &str, emoji: &str) -> Result<(), Refusal> {
    let (seen, _) = cx.store.joined(conversation, cx.me)?;
    let last = seen
        .messages
        .last()
        .ok_or_else(Refusal::message_not_found)?;
    let (id, user) = (last.id.clone(), cx.me);
    reactions::add(cx, conversation, &id, emoji, user).map(drop)
}

fn raw(data: &impl Serialize) -> Result<Box<RawValue>, Refusal> {
    to_raw_value(data).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Refusal {
    Refusal::invalid("INVALID_REQUEST", error.to_string())
}
