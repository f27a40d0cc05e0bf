//! The names that a history is about.

use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;

use super::random::pick;

/// Who acts and has a session: enough for "many" to type, and for more participants and reactions
/// than a first page shows.
pub(super) const ACTORS: [&str; 14] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim",
    "leo", "mia", "nils",
];

/// Those of the actors whose sessions hold subscriptions.
pub(super) const WATCHERS: [&str; 2] = [ACTORS[0], ACTORS[1]];

/// Where nearly everything happens, so that it meets.
pub(super) const BUSY: [&str; 3] = ["c0", "c1", "c 2/ü"];

/// More emoji than one, so that their order matters; few, so that users meet in them.
const EMOJI: [&str; 4] = ["👍", "❤️", "🚀", ":party:"];

/// How many users there may be who only are talked about.
const EXTRAS: usize = 12;

/// How many conversations there may be where little happens: more than a page of a list.
pub(super) const QUIET: usize = 30;

/// How many messages are popular.
const POPULAR: usize = 3;

/// A message that was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) conversation: String,
    pub(super) message: String,
    pub(super) sender: String,
}

/// What was sent so far, deleted or not. All clones are the same list.
#[derive(Debug, Clone, Default)]
pub(super) struct SentMessages(Arc<Mutex<Vec<Sent>>>);

impl SentMessages {
    pub(super) fn push(&self, sent: Sent) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sent);
    }

    /// One of them, most often a late one.
    pub(super) fn pick(&self, rng: &mut Rng) -> Option<Sent> {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pick_late(rng, &sent.iter().collect::<Vec<_>>())
    }

    /// One of them to react to, often a popular one: else few users would meet.
    pub(super) fn pick_popular(&self, rng: &mut Rng) -> Option<Sent> {
        if rng.bool() {
            return self.pick(rng);
        }
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = &sent[..sent.len().min(POPULAR)];
        (!first.is_empty()).then(|| pick(rng, first).clone())
    }

    /// One of them that, most often, `sender` has sent: others may not change it.
    pub(super) fn pick_own(&self, rng: &mut Rng, sender: &str) -> Option<Sent> {
        if rng.u8(..5) == 0 {
            return self.pick(rng);
        }
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own: Vec<_> = sent.iter().filter(|sent| sent.sender == sender).collect();
        pick_late(rng, &own)
    }
}

fn pick_late(rng: &mut Rng, sent: &[&Sent]) -> Option<Sent> {
    let late = if rng.u8(..4) == 0 {
        0
    } else {
        sent.len().saturating_sub(12)
    };
    let from = &sent[late..];
    (!from.is_empty()).then(|| (*pick(rng, from)).clone())
}

/// An emoji, most often the same.
pub(super) fn emoji(rng: &mut Rng) -> &'static str {
    if rng.bool() {
        EMOJI[0]
    } else {
        pick::<&str>(rng, &EMOJI)
    }
}

/// A conversation, most often a busy one.
pub(super) fn conversation(rng: &mut Rng) -> String {
    if rng.u8(..5) == 0 {
        quiet_conversation(rng)
    } else {
        (*pick(rng, &BUSY)).to_owned()
    }
}

pub(super) fn quiet_conversation(rng: &mut Rng) -> String {
    quiet(rng.usize(..QUIET))
}

/// One of those where little happens.
pub(super) fn quiet(index: usize) -> String {
    format!("quiet{index}")
}

/// Any user, an actor or not.
pub(super) fn user(rng: &mut Rng) -> String {
    if rng.bool() {
        extra_user(rng)
    } else {
        (*pick(rng, &ACTORS)).to_owned()
    }
}

pub(super) fn extra_user(rng: &mut Rng) -> String {
    format!("extra{}", rng.usize(..EXTRAS))
}
