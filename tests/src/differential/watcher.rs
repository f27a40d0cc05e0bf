//! A user whose session holds subscriptions during a whole history.

use std::collections::BTreeMap;

use anyhow::Result;
use fastrand::Rng;
use talk_tokio::{CallFuture, Session};

use super::compare::differences;
use super::filter;
use super::fresh::{Fresh, Wanted};
use super::random::pick_weighted;
use super::topic::{Live, Shown, Topic};
use super::world::{self, BUSY, SentMessages};

/// The maximum number of subscriptions of a session.
const MAX_SUBSCRIPTIONS: usize = 24;

/// A user with subscriptions.
pub(super) struct Watcher {
    session: Session,
    held: Vec<Held>,
}

struct Held {
    topic: Topic,
    live: Box<dyn Live>,
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The number of snapshots of each kind of topic.
    pub(super) tally: BTreeMap<&'static str, Tally>,
    pub(super) mismatches: Vec<Mismatch>,
}

/// The number of compared snapshots.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) snapshots: usize,
    /// The number of snapshots that were neither null nor an empty list.
    pub(super) filled: usize,
}

/// A subscription whose snapshot differs from that of a fresh session.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) user: String,
    pub(super) topic: Topic,
    pub(super) differences: Vec<String>,
}

#[derive(Clone, Copy)]
enum Step {
    Subscribe,
    Resubscribe,
    Unsubscribe,
    LoadMore,
}

impl Watcher {
    /// Creates a watcher with a subscription that lasts for the whole history.
    pub(super) fn new(session: Session) -> Result<Self> {
        let mut watcher = Self {
            session,
            held: Vec::new(),
        };
        watcher.subscribe(Topic::Messages(BUSY[0].to_owned()))?;
        Ok(watcher)
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Subscribes, unsubscribes or loads more items. Returns the line for the log, and the call
    /// that loads more items.
    pub(super) fn step(
        &mut self,
        rng: &mut Rng,
        sent: &SentMessages,
    ) -> Result<(String, Option<CallFuture<()>>)> {
        let steps = [
            (Step::Subscribe, 12),
            (Step::Resubscribe, 1),
            (Step::Unsubscribe, 2),
            (Step::LoadMore, 6),
        ];
        let mut step = pick_weighted(rng, &steps);
        if self.held.len() >= MAX_SUBSCRIPTIONS {
            step = Step::Unsubscribe;
        }
        let at = rng.usize(..self.held.len());
        match step {
            Step::Subscribe => {
                let topic = choose_topic(rng, sent);
                let text = format!("watch {topic}");
                self.subscribe(topic)?;
                Ok((text, None))
            }
            Step::Unsubscribe | Step::Resubscribe if at == 0 => Ok(("nothing".to_owned(), None)),
            Step::Unsubscribe => {
                let gone = self.held.swap_remove(at);
                Ok((format!("unwatch {}", gone.topic), None))
            }
            Step::Resubscribe => {
                let gone = self.held.swap_remove(at);
                drop(gone.live);
                let text = format!("watch again {}", gone.topic);
                self.subscribe(gone.topic)?;
                Ok((text, None))
            }
            Step::LoadMore => {
                let held = &self.held[at];
                let count = rng.usize(1..=20);
                let text = format!("load {count} more of {}", held.topic);
                Ok((text, held.live.load_more(count)))
            }
        }
    }

    fn subscribe(&mut self, topic: Topic) -> Result<()> {
        let live = topic.subscribe(&self.session)?;
        self.held.push(Held { topic, live });
        Ok(())
    }

    /// Compares every subscription with a fresh session of the published client.
    pub(super) async fn compare(
        &self,
        fresh: &Fresh,
        host: &str,
        app: &str,
        compared: &mut Compared,
    ) -> Result<()> {
        let ours: Vec<_> = self.held.iter().map(|held| held.live.shown()).collect();
        let wanted: Vec<_> = self
            .held
            .iter()
            .zip(&ours)
            .map(|(held, ours)| Wanted {
                topic: &held.topic,
                items: ours.as_ref().map_or(0, items_to_load),
            })
            .collect();
        let user = self.session.user_id().as_str();
        let theirs = fresh.read(host, app, user, &wanted).await?;
        for (held, (ours, theirs)) in self.held.iter().zip(ours.into_iter().zip(theirs)) {
            let tally = compared.tally.entry(held.topic.kind()).or_default();
            tally.snapshots += 1;
            tally.filled += usize::from(ours.as_ref().is_ok_and(Shown::is_filled));
            let differences = compare(ours, theirs);
            if !differences.is_empty() {
                compared.mismatches.push(Mismatch {
                    user: user.to_owned(),
                    topic: held.topic.clone(),
                    differences,
                });
            }
        }
        Ok(())
    }
}

/// Returns the number of items to load: the number of our items, and one more if our list is fully
/// loaded. The other client must then have no further item.
fn items_to_load(ours: &Shown) -> usize {
    let shown = ours.snapshot.as_array().map_or(0, Vec::len);
    shown + usize::from(ours.loaded_all == Some(true))
}

fn compare(ours: Result<Shown>, theirs: Result<Shown>) -> Vec<String> {
    let (ours, mut theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(error), _) => return vec![format!("ours: {error}")],
        (_, Err(error)) => return vec![format!("theirs: {error}")],
    };
    // A list that is not fully loaded is compared as far as it is loaded.
    if let (Some(shown), Some(seen)) = (ours.snapshot.as_array(), theirs.snapshot.as_array_mut())
        && ours.loaded_all == Some(false)
    {
        seen.truncate(shown.len());
    }
    differences(&ours.snapshot, &theirs.snapshot)
}

fn choose_topic(rng: &mut Rng, sent: &SentMessages) -> Topic {
    let conversation = world::conversation(rng);
    match rng.u8(..11) {
        0 => Topic::User(world::user(rng)),
        1 => Topic::Online(world::user(rng)),
        2 => Topic::Conversation(conversation),
        3 => Topic::Messages(conversation),
        4 => Topic::Participants(conversation),
        5 => Topic::Participant(conversation, world::user(rng)),
        6 => Topic::Typing(conversation),
        7 => Topic::Conversations(None),
        8 => Topic::Conversations(Some(filter::choose(rng))),
        _ => match sent.pick_reactions(rng) {
            Some((at, emoji)) => Topic::Reactions(at.conversation, at.message, emoji.to_owned()),
            None => Topic::Conversation(conversation),
        },
    }
}
