//! The names that a history is about.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use fastrand::Rng;
use talk_tokio::{ReactionsRef, Session};

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

/// A reaction that was added.
#[derive(Debug, Clone)]
pub(super) struct Reaction {
    pub(super) at: Sent,
    pub(super) emoji: &'static str,
    pub(super) user: String,
}

impl Reaction {
    /// The reactions with its emoji, to be changed by the session's user.
    pub(super) fn of(&self, session: &Session) -> Result<ReactionsRef> {
        let message = session
            .conversation(self.at.conversation.as_str())?
            .message(self.at.message.as_str())?;
        Ok(message.reactions(self.emoji)?)
    }
}

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, emoji, .. } = self;
        write!(f, "{}: {} {emoji}", at.conversation, at.message)
    }
}

/// What was sent so far, deleted or not, and the reactions to it, removed or not. All clones are
/// the same.
#[derive(Debug, Clone, Default)]
pub(super) struct SentMessages(Arc<Mutex<Past>>);

#[derive(Debug, Default)]
struct Past {
    sent: Vec<Sent>,
    reactions: Vec<Reaction>,
}

impl SentMessages {
    pub(super) fn push(&self, sent: Sent) {
        self.lock().sent.push(sent);
    }

    pub(super) fn push_reaction(&self, reaction: Reaction) {
        self.lock().reactions.push(reaction);
    }

    fn lock(&self) -> MutexGuard<'_, Past> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of them, most often a late one.
    pub(super) fn pick(&self, rng: &mut Rng) -> Option<Sent> {
        pick_late(rng, &self.lock().sent.iter().collect::<Vec<_>>())
    }

    /// One of them to react to, often a popular one: else few users would meet.
    pub(super) fn pick_popular(&self, rng: &mut Rng) -> Option<Sent> {
        if rng.bool() {
            return self.pick(rng);
        }
        let sent = &self.lock().sent;
        let first = &sent[..sent.len().min(POPULAR)];
        (!first.is_empty()).then(|| pick(rng, first).clone())
    }

    /// One of them that, most often, `sender` has sent: others may not change it.
    pub(super) fn pick_own(&self, rng: &mut Rng, sender: &str) -> Option<Sent> {
        if rng.u8(..5) == 0 {
            return self.pick(rng);
        }
        let past = self.lock();
        let own = past.sent.iter().filter(|sent| sent.sender == sender);
        pick_late(rng, &own.collect::<Vec<_>>())
    }

    /// A reaction of the user, most often a late one.
    pub(super) fn pick_own_reaction(&self, rng: &mut Rng, user: &str) -> Option<Reaction> {
        let past = self.lock();
        let own = past.reactions.iter().filter(|own| own.user == user);
        pick_late(rng, &own.collect::<Vec<_>>())
    }

    /// A message and an emoji to watch, most often such as have met.
    pub(super) fn pick_reactions(&self, rng: &mut Rng) -> Option<(Sent, &'static str)> {
        if rng.u8(..4) == 0 {
            return Some((self.pick_popular(rng)?, emoji(rng)));
        }
        let past = self.lock();
        let reaction = pick_late(rng, &past.reactions.iter().collect::<Vec<_>>())?;
        Some((reaction.at, reaction.emoji))
    }
}

fn pick_late<T: Clone>(rng: &mut Rng, sent: &[&T]) -> Option<T> {
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
