//! A conversation, its participants, and the view of each participant.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::idempotency::IdempotencyKeys;
use super::message::Messages;
use super::patch::Custom;

/// A conversation. The serialised form is its record; skipped members have their own records or
/// are derived.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Conversation {
    pub(super) subject: Option<String>,
    pub(super) photo_url: Option<String>,
    pub(super) welcome_messages: Vec<String>,
    pub(super) custom: Custom,
    pub(super) created_at: u64,
    pub(super) participants: BTreeMap<String, Participation>,
    /// The users whose access a back end has taken away. For clients they have left; they keep
    /// their join time and read position.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) suspended: BTreeMap<String, Participation>,
    #[serde(skip)]
    pub(super) messages: Messages,
    #[serde(skip)]
    pub(super) keys: IdempotencyKeys,
    /// The participants by join time.
    #[serde(skip)]
    pub(super) by_joined: BTreeMap<u64, String>,
    /// The participants by read position.
    #[serde(skip)]
    by_read: BTreeSet<(u64, String)>,
}

/// A user's membership in a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Participation {
    pub(super) access: Access,
    pub(super) notify: Notify,
    pub(super) joined_at: u64,
    pub(super) read_until: u64,
    /// The number of messages of others after `read_until`.
    pub(super) unread: u64,
    /// Set if the user marked the conversation as unread.
    pub(super) marked_unread: bool,
    /// The read position before a back end moved it backwards, or 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    moved_back_from: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending_notification: Option<PendingNotification>,
}

/// A notification of a participant that will be sent unless the messages are read, with times in
/// unix milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PendingNotification {
    /// The time of the first message.
    pub(super) from: u64,
    /// The time of the notification.
    pub(super) at: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(time: &u64) -> bool {
    *time == 0
}

/// The access rights of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Access {
    Read,
    ReadWrite,
}

/// The notification setting of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Notify {
    Always(bool),
    Only(NotifyOnly),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum NotifyOnly {
    MentionsOnly,
}

/// The members of a side that change with messages and read receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SideState {
    pub(super) last_message_at: u64,
    pub(super) unread_message_count: u64,
    pub(super) is_unread: bool,
    pub(super) read_until: u64,
    pub(super) everyone_read_until: u64,
}

/// A conversation as seen by one participant.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SideView<'a> {
    pub(super) id: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) photo_url: Option<&'a str>,
    pub(super) welcome_messages: &'a [String],
    pub(super) custom: &'a Custom,
    pub(super) created_at: u64,
    pub(super) joined_at: u64,
    #[serde(flatten)]
    pub(super) state: SideState,
    pub(super) access: Access,
    pub(super) notify: Notify,
}

/// A participant as seen by others.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParticipantView<'a> {
    id: &'a str,
    access: Access,
    notify: Notify,
    joined_at: u64,
}

impl Participation {
    /// Creates a participation without unread messages.
    pub(super) fn new(access: Access, notify: Notify, joined_at: u64, read_until: u64) -> Self {
        Self {
            access,
            notify,
            joined_at,
            read_until,
            unread: 0,
            marked_unread: false,
            moved_back_from: 0,
            pending_notification: None,
        }
    }

    /// Returns the maximum of all read positions up to now.
    pub(super) fn furthest_read(&self) -> u64 {
        self.read_until.max(self.moved_back_from)
    }

    pub(super) fn view<'a>(&self, user: &'a str) -> ParticipantView<'a> {
        ParticipantView {
            id: user,
            access: self.access,
            notify: self.notify,
            joined_at: self.joined_at,
        }
    }
}

impl Conversation {
    /// Returns the time of the last message, or the join time if there is none.
    pub(super) fn last_message_at(&self, participation: &Participation) -> u64 {
        self.messages
            .last()
            .map_or(participation.joined_at, |message| message.created_at)
    }

    pub(super) fn side_state(&self, participation: &Participation) -> SideState {
        SideState {
            last_message_at: self.last_message_at(participation),
            unread_message_count: participation.unread,
            is_unread: participation.unread > 0 || participation.marked_unread,
            read_until: participation.read_until,
            everyone_read_until: self
                .everyone_read_until()
                .unwrap_or(participation.read_until),
        }
    }

    /// Returns the earliest read position, or `None` without participants.
    pub(super) fn everyone_read_until(&self) -> Option<u64> {
        self.by_read.first().map(|(read_until, _)| *read_until)
    }

    pub(super) fn side<'a>(&'a self, id: &'a str, participation: &Participation) -> SideView<'a> {
        SideView {
            id,
            subject: self.subject.as_deref(),
            photo_url: self.photo_url.as_deref(),
            welcome_messages: &self.welcome_messages,
            custom: &self.custom,
            created_at: self.created_at,
            joined_at: participation.joined_at,
            state: self.side_state(participation),
            access: participation.access,
            notify: participation.notify,
        }
    }

    /// Adds a user as a participant. The user must not be one yet. A suspended user returns with
    /// the old join time and all messages sent meanwhile.
    pub(super) fn join(&mut self, user: &str, access: Access, notify: Notify, joined_at: u64) {
        let participation = match self.suspended.remove(user) {
            Some(suspended) => Participation {
                access,
                notify,
                ..suspended
            },
            None => Participation::new(access, notify, joined_at, joined_at),
        };
        self.by_joined
            .insert(participation.joined_at, user.to_owned());
        self.by_read
            .insert((participation.read_until, user.to_owned()));
        self.participants.insert(user.to_owned(), participation);
        self.count_unread(user);
    }

    /// Counts the messages of others after the participant's read position.
    fn count_unread(&mut self, user: &str) {
        let Some(participation) = self.participants.get_mut(user) else {
            return;
        };
        let read_until = participation.read_until;
        let newer = self.messages.before(None);
        participation.unread = newer
            .take_while(|message| message.created_at > read_until)
            .filter(|message| message.is_unread_by(user, read_until))
            .count() as u64;
    }

    /// Sets the participant's read position, also backwards, and clears the mark.
    pub(super) fn set_read_until(&mut self, user: &str, read_until: u64) {
        let Some(participation) = self.participants.get_mut(user) else {
            return;
        };
        self.by_read
            .remove(&(participation.read_until, user.to_owned()));
        self.by_read.insert((read_until, user.to_owned()));
        if read_until < participation.read_until {
            participation.moved_back_from = participation.furthest_read();
        }
        participation.read_until = read_until;
        participation.marked_unread = false;
        self.count_unread(user);
    }

    /// Rebuilds the derived members after a restore.
    pub(super) fn rebuild_indexes(&mut self) {
        for (user, participation) in &self.participants {
            self.by_joined.insert(participation.joined_at, user.clone());
            self.by_read
                .insert((participation.read_until, user.clone()));
        }
        self.keys.sort();
    }

    /// Removes and returns a participant, if present.
    pub(super) fn leave(&mut self, user: &str) -> Option<Participation> {
        let (user, participation) = self.participants.remove_entry(user)?;
        self.by_joined.remove(&participation.joined_at);
        self.by_read.remove(&(participation.read_until, user));
        Some(participation)
    }

    /// Moves the participant's read position to `at` and clears the unread state.
    pub(super) fn read(&mut self, user: &str, at: u64) {
        let Some(participation) = self.participants.get_mut(user) else {
            return;
        };
        let read_until = participation.read_until.max(at);
        self.by_read
            .remove(&(participation.read_until, user.to_owned()));
        self.by_read.insert((read_until, user.to_owned()));
        participation.read_until = read_until;
        participation.unread = 0;
        participation.marked_unread = false;
    }
}
