use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

/// How long a send's key is known, in milliseconds.
const KEPT_FOR: u64 = 24 * 60 * 60 * 1000;

/// The keys of recent sends to one conversation: a repeat gets the id of the first.
#[derive(Debug, Default)]
pub(super) struct Sends {
    /// By sender, then by key.
    sends: BTreeMap<String, BTreeMap<String, Send>>,
    /// Time, sender and key, oldest first.
    order: VecDeque<(u64, String, String)>,
    /// Sender and key of what has come or gone.
    changed: BTreeSet<(String, String)>,
}

/// One send.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Send {
    at: u64,
    message: String,
}

impl Sends {
    /// The message that this sender sent with this key.
    pub(super) fn find(&mut self, now: u64, sender: &str, key: &str) -> Option<&str> {
        self.forget(now);
        Some(&self.get(sender, key)?.message)
    }

    pub(super) fn get(&self, sender: &str, key: &str) -> Option<&Send> {
        self.sends.get(sender)?.get(key)
    }

    pub(super) fn insert(&mut self, now: u64, sender: &str, key: String, message: &str) {
        self.changed.insert((sender.to_owned(), key.clone()));
        let send = Send {
            at: now,
            message: message.to_owned(),
        };
        self.restore(sender, key, send);
    }

    /// Puts back what was kept. In any order, with [`sort`](Self::sort) at the end.
    pub(super) fn restore(&mut self, sender: &str, key: String, send: Send) {
        self.order
            .push_back((send.at, sender.to_owned(), key.clone()));
        self.sends
            .entry(sender.to_owned())
            .or_default()
            .insert(key, send);
    }

    pub(super) fn sort(&mut self) {
        self.order.make_contiguous().sort_unstable();
    }

    /// Sender and key of what has changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut self.changed)
    }

    fn forget(&mut self, now: u64) {
        while let Some((_, sender, key)) = self
            .order
            .pop_front_if(|(at, ..)| at.saturating_add(KEPT_FOR) <= now)
        {
            if let Some(keys) = self.sends.get_mut(&sender) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.sends.remove(&sender);
                }
            }
            self.changed.insert((sender, key));
        }
    }
}
