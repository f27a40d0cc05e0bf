//! The typing users of each conversation, as seen by each receiver.

use std::collections::BTreeMap;

use serde::Serialize;
use talk_proto::Timestamp;

/// The maximum number of users listed by id.
const MAX_LISTED: usize = 5;

/// The typing users of each conversation. They are not persisted.
#[derive(Debug, Default)]
pub(super) struct TypingUsers {
    conversations: BTreeMap<String, BTreeMap<String, TypingUser>>,
}

#[derive(Debug, Clone, Copy)]
struct TypingUser {
    since: u64,
    until: Timestamp,
}

/// The typing users as seen by a receiver: `{many: false, usersTyping}` or `{many: true}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypingView {
    many: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    users_typing: Option<BTreeMap<String, u64>>,
}

impl TypingUsers {
    /// Extends the deadline of a typing user. Returns the previous deadline.
    pub(super) fn extend(
        &mut self,
        conversation: &str,
        user: &str,
        until: Timestamp,
    ) -> Option<Timestamp> {
        let user = self.conversations.get_mut(conversation)?.get_mut(user)?;
        Some(std::mem::replace(&mut user.until, until))
    }

    /// Adds a user after the start of typing.
    pub(super) fn insert(&mut self, conversation: &str, user: &str, since: u64, until: Timestamp) {
        self.conversations
            .entry(conversation.to_owned())
            .or_default()
            .insert(user.to_owned(), TypingUser { since, until });
    }

    /// Removes a user. Returns the deadline if the user was typing.
    pub(super) fn remove(&mut self, conversation: &str, user: &str) -> Option<Timestamp> {
        let users = self.conversations.get_mut(conversation)?;
        let removed = users.remove(user)?;
        if users.is_empty() {
            self.conversations.remove(conversation);
        }
        Some(removed.until)
    }

    pub(super) fn is_typing(&self, conversation: &str, user: &str) -> bool {
        let users = self.conversations.get(conversation);
        users.is_some_and(|users| users.contains_key(user))
    }

    /// Removes all users of a conversation, and returns them with their deadlines.
    pub(super) fn remove_all(&mut self, conversation: &str) -> Vec<(String, Timestamp)> {
        let users = self.conversations.remove(conversation).unwrap_or_default();
        let users = users.into_iter();
        users.map(|(id, user)| (id, user.until)).collect()
    }

    /// Returns the typing users except the receiver.
    pub(super) fn view(&self, conversation: &str, receiver: &str) -> TypingView {
        let others: BTreeMap<String, u64> = self
            .others(conversation, receiver)
            .map(|(id, user)| (id.clone(), user.since))
            .collect();
        let many = others.len() > MAX_LISTED;
        TypingView {
            many,
            users_typing: (!many).then_some(others),
        }
    }

    fn others<'a>(
        &'a self,
        conversation: &str,
        receiver: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a TypingUser)> + use<'a> {
        self.conversations
            .get(conversation)
            .into_iter()
            .flatten()
            .filter(move |(user, _)| user.as_str() != receiver)
    }

    /// Returns the diff for a receiver after `user` started typing, or `None` if the view of the
    /// receiver does not change.
    pub(super) fn started<'a>(
        &'a self,
        conversation: &str,
        user: &'a str,
        receiver: &'a str,
    ) -> Option<TypingDiff<'a>> {
        let started = self.conversations.get(conversation)?.get(user)?;
        match self.others(conversation, receiver).count() {
            0..=MAX_LISTED => Some(TypingDiff {
                many: None,
                users_typing: Some(BTreeMap::from([(user, Some(started.since))])),
            }),
            count if count == MAX_LISTED + 1 => Some(TypingDiff {
                many: Some(true),
                users_typing: None,
            }),
            _ => None,
        }
    }

    /// Returns the diff for a receiver after `user` stopped typing, or `None` if the view of the
    /// receiver does not change.
    pub(super) fn stopped<'a>(
        &'a self,
        conversation: &str,
        user: &'a str,
        receiver: &'a str,
    ) -> Option<TypingDiff<'a>> {
        match self.others(conversation, receiver).count() {
            0..MAX_LISTED => Some(TypingDiff {
                many: None,
                users_typing: Some(BTreeMap::from([(user, None)])),
            }),
            MAX_LISTED => {
                let listed = self.others(conversation, receiver);
                Some(TypingDiff {
                    many: Some(false),
                    users_typing: Some(
                        listed
                            .map(|(id, user)| (id.as_str(), Some(user.since)))
                            .collect(),
                    ),
                })
            }
            _ => None,
        }
    }
}

/// The changes of the typing users.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypingDiff<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) many: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) users_typing: Option<BTreeMap<&'a str, Option<u64>>>,
}
