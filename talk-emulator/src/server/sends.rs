use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// How long a send's key is known, in milliseconds.
const KEPT_FOR: u64 = 24 * 60 * 60 * 1000;

/// The keys of recent sends to one conversation: a repeat gets the id of the first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sends {
    /// By sender, then by key.
    ids: BTreeMap<String, BTreeMap<String, String>>,
    /// Time, sender and key, oldest first.
    order: VecDeque<(u64, String, String)>,
}

impl Sends {
    /// The message that this sender sent with this key.
    pub(super) fn find(&mut self, now: u64, sender: &str, key: &str) -> Option<&str> {
        self.forget(now);
        self.ids.get(sender)?.get(key).map(String::as_str)
    }

    pub(super) fn insert(&mut self, now: u64, sender: &str, key: String, message: &str) {
        self.order.push_back((now, sender.to_owned(), key.clone()));
        self.ids
            .entry(sender.to_owned())
            .or_default()
            .insert(key, message.to_owned());
    }

    fn forget(&mut self, now: u64) {
        while let Some((_, sender, key)) = self
            .order
            .pop_front_if(|(at, ..)| at.saturating_add(KEPT_FOR) <= now)
        {
            if let Some(keys) = self.ids.get_mut(&sender) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.ids.remove(&sender);
                }
            }
        }
    }
}
