//! The users that are typing in a conversation.

use std::collections::BTreeSet;

use crate::live::stores::entity::{Entity, Lookup};
use crate::model::{Typing, TypingDiff, TypingSnapshot, UserId};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;
use crate::wire::ServerEvent;

pub(crate) struct TypingUsers;

impl Entity for TypingUsers {
    type Value = Typing;

    fn apply(&self, value: &mut Option<Typing>, event: &ServerEvent) -> bool {
        match (event, value) {
            (ServerEvent::TypingAvailable { state, .. }, value) => *value = Some(state.clone()),
            (ServerEvent::TypingChanged { diff, .. }, Some(typing)) => apply_diff(typing, diff),
            (ServerEvent::SideDeleted { .. }, value) => *value = None,
            (ServerEvent::SideCreated { .. }, value) => return value.is_none(),
            _ => {}
        }
        false
    }

    fn users(&self, value: Option<&Typing>) -> BTreeSet<UserId> {
        match value {
            Some(typing) if !typing.many => typing
                .users_typing
                .iter()
                .flatten()
                .map(|(user, _)| user.clone())
                .collect(),
            _ => BTreeSet::new(),
        }
    }

    fn snapshot(&self, value: Option<&Typing>, users: Lookup<'_>) -> Option<Snapshot> {
        let Some(typing) = value else {
            return Some(Snapshot::Typing(None));
        };
        if typing.many {
            return Some(Snapshot::Typing(Some(TypingSnapshot::Many)));
        }
        let mut since: Vec<(Timestamp, &UserId)> = typing
            .users_typing
            .iter()
            .flatten()
            .filter(|(user, _)| *user != users.me())
            .map(|(user, since)| (*since, user))
            .collect();
        since.sort_unstable();
        let mut few = Vec::with_capacity(since.len());
        for (_, user) in since {
            few.extend(users.get(user)?);
        }
        Some(Snapshot::Typing(Some(TypingSnapshot::Few(few))))
    }
}

fn apply_diff(typing: &mut Typing, diff: &TypingDiff) {
    match diff.many {
        Some(true) => {
            typing.many = true;
            typing.users_typing = None;
            return;
        }
        // A diff that ends `many` lists all typing users.
        Some(false) => {
            typing.many = false;
            typing.users_typing = None;
        }
        None => {}
    }
    let users = typing.users_typing.get_or_insert_default();
    for (user, since) in diff.users_typing.iter().flatten() {
        match since {
            Some(since) => users.insert(user.clone(), *since),
            None => users.remove(user),
        };
    }
}
