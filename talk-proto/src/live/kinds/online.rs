//! The presence of a user.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::live::stores::entity::{Entity, Lookup};
use crate::model::{Online, OnlineSnapshot, UserId};
use crate::snapshot::Snapshot;
use crate::wire::ServerEvent;

pub(crate) struct Presence {
    pub(crate) user: UserId,
}

impl Entity for Presence {
    type Value = Online;

    fn apply(&self, value: &mut Option<Online>, event: &ServerEvent) -> bool {
        if let (ServerEvent::UserOnlineChanged { diff, .. }, Some(online)) = (event, &mut *value) {
            *online = *diff;
        }
        // Any event about a user means that the user exists.
        value.is_none()
    }

    fn users(&self, _: Option<&Online>) -> BTreeSet<UserId> {
        BTreeSet::from([self.user.clone()])
    }

    fn snapshot(&self, value: Option<&Online>, users: Lookup<'_>) -> Option<Snapshot> {
        let Some(online) = value else {
            return Some(Snapshot::Online(None));
        };
        let user = users.get(&self.user)?;
        let is_connected = online.is_connected;
        let snapshot = user.map(|user| Arc::new(OnlineSnapshot { user, is_connected }));
        Some(Snapshot::Online(snapshot))
    }
}
