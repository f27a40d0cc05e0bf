//! The range of a window: the part of a list that stays visible while items are added and removed.

use serde_json::Value;
use talk_proto::{
    Snapshot, Timestamp, Update,
    changes::{Changes, RemovalReason},
};

use super::shown::{items, loaded_all};

/// The range of one window, followed through its updates.
#[derive(Clone, Copy, Default)]
pub(super) struct Range {
    /// The sort key of the last item that was visible so far, or `i64::MAX` for a complete list.
    end: Option<i64>,
    /// Set if an item has left the window since its first snapshot.
    has_lost_items: bool,
}

impl Range {
    /// Follows an update of a window that holds at most `cap` items.
    pub(super) fn update(&mut self, update: &Update, cap: usize) {
        let end = end(&update.snapshot);
        let Changes::List(changes) = &update.changes else {
            *self = Self {
                end,
                has_lost_items: false,
            };
            return;
        };
        let reasons = || changes.removed.iter().map(|removal| removal.reason);
        let is_lost = |reason| !matches!(reason, RemovalReason::Moved { .. });
        self.has_lost_items |= reasons().any(is_lost);
        // A window at its cap ends with its last item. An evicted item may never have been visible.
        let is_full = items(&update.snapshot).is_some_and(|items| items.len() >= cap);
        let is_evicted = reasons().any(|reason| reason == RemovalReason::Evicted);
        self.end = if is_full || is_evicted {
            end
        } else {
            self.end.max(end)
        };
    }

    /// Returns `true` if the window must show at least the items of a first window.
    pub(super) fn is_whole(&self) -> bool {
        !self.has_lost_items
    }

    /// Returns `true` if the window must show an item of the server's list.
    pub(super) fn contains(&self, snapshot: &Snapshot, item: &Value) -> bool {
        let key = match snapshot {
            Snapshot::Conversations(_) => item["lastMessageAt"].as_i64().map(i64::saturating_neg),
            Snapshot::Participants(_) => item["joinedAt"].as_i64().map(i64::saturating_neg),
            Snapshot::Messages(_) => item["createdAt"].as_i64().map(i64::saturating_neg),
            Snapshot::Reactions(_) => item["createdAt"].as_i64(),
            _ => None,
        };
        key.is_some() && key < self.end
    }
}

/// Returns the sort key of a list's last item, `i64::MIN` for an empty list and `i64::MAX` for a
/// complete one, or `None` without a list. Keys ascend.
fn end(snapshot: &Snapshot) -> Option<i64> {
    let latest_first = |at: Timestamp| at.as_millis().saturating_neg();
    let last = match snapshot {
        Snapshot::Conversations(window) => {
            window.last().map(|item| latest_first(item.last_message_at))
        }
        Snapshot::Participants(window) => {
            let last = window.as_ref()?.last();
            last.map(|item| latest_first(item.joined_at))
        }
        Snapshot::Messages(window) => {
            let last = window.as_ref()?.last();
            last.map(|item| latest_first(item.created_at))
        }
        Snapshot::Reactions(window) => {
            let last = window.as_ref()?.last();
            last.map(|item| item.created_at.as_millis())
        }
        _ => return None,
    };
    match loaded_all(snapshot) {
        Some(true) => Some(i64::MAX),
        _ => Some(last.unwrap_or(i64::MIN)),
    }
}
