//! The names of users and conversations in histories.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use fastrand::Rng;
use talk_tokio::{ReactionsRef, Session};

use super::random::pick;

/// The users with sessions. There are more of them than typing snapshots list by name, and more
/// than the first pages of participants and reactions have.
pub(super) const ACTORS: [&str; 14] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim",
    "leo", "mia", "nils",
];

/// The actors whose sessions hold subscriptions.
pub(super) const WATCHERS: [&str; 2] = [ACTORS[0], ACTORS[1]];

/// The conversations with most of the changes. They are few, so that changes of several users
/// concern the same conversation.
pub(super) const BUSY: [&str; 3] = ["c0", "c1", "c 2/ü"];

/// The emoji of reactions. There are several, because their order matters, and few, so that several
/// users choose the same.
const EMOJI: [&str; 4] = ["👍", "❤️", "🚀", ":party:"];

/// The number of users without a session.
const EXTRAS: usize = 12;

/// The number of conversations with few changes. There are more than a page of a list has.
pub(super) const QUIET: usize = 30;

/// The number of popular messages.
const POPULAR: usize = 3;

/// A sent message.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) conversation: String,
    pub(super) message: String,
    pub(super) sender: String,
}

/// An added reaction.
#[derive(Debug, Clone)]
pub(super) struct Reaction {
    pub(super) at: Sent,
    pub(super) emoji: &'static str,
    pub(super) user: String,
}

impl Reaction {
    /// Returns a reference to the reactions with the same emoji, for the session's user.
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

/// The messages and reactions so far, including deleted and removed ones. Clones share their
/// content.
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

    /// Returns a message, usually a recent one.
    pub(super) fn pick(&self, rng: &mut Rng) -> Option<Sent> {
        pick_late(rng, &self.lock().sent.iter().collect::<Vec<_>>())
    }

    /// Returns a message to react to. It is often a popular one, so that several users react to the
    /// same message.
    pub(super) fn pick_popular(&self, rng: &mut Rng) -> Option<Sent> {
        if rng.bool() {
            return self.pick(rng);
        }
        let sent = &self.lock().sent;
        let first = &sent[..sent.len().min(POPULAR)];
        (!first.is_empty()).then(|| pick(rng, first).clone())
    }

    /// Returns a message. It is usually one of `sender`, because other users may not change it.
    pub(super) fn pick_own(&self, rng: &mut Rng, sender: &str) -> Option<Sent> {
        if rng.u8(..5) == 0 {
            return self.pick(rng);
        }
        let past = self.lock();
        let own = past.sent.iter().filter(|sent| sent.sender == sender);
        pick_late(rng, &own.collect::<Vec<_>>())
    }

    /// Returns a reaction of the user, usually a recent one.
    pub(super) fn pick_own_reaction(&self, rng: &mut Rng, user: &str) -> Option<Reaction> {
        let past = self.lock();
        let own = past.reactions.iter().filter(|own| own.user == user);
        pick_late(rng, &own.collect::<Vec<_>>())
    }

    /// Returns a message and an emoji to subscribe to, usually ones with reactions.
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

/// Returns an emoji, usually the first one.
pub(super) fn emoji(rng: &mut Rng) -> &'static str {
    if rng.bool() {
        EMOJI[0]
    } else {
        pick::<&str>(rng, &EMOJI)
    }
}

/// Returns a conversation, usually a busy one.
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

/// Returns a conversation with few changes.
pub(super) fn quiet(index: usize) -> String {
    format!("quiet{index}")
}

/// Returns a user with or without a session.
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
