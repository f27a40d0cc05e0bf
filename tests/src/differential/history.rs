//! A random history: its users, their changes, the disruptions and the comparison at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, bail};
use fastrand::Rng;
use futures_util::future::{join_all, try_join_all};
use talk_emulator::Emulator;
use talk_tokio::{Error, Session, TalkOptions, TransportError, UserParams, get_talk_session};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::change::{Change, Kind};
use super::disruption::Disruption;
use super::fresh::Fresh;
use super::watcher::{Compared, Watcher};
use super::world::{self, ACTORS, BUSY, SentMessages, WATCHERS};

/// The pause before snapshots are compared. During this pause, typing ends (10 s) and users without
/// subscriptions go offline (3 s).
const QUIET: Duration = Duration::from_secs(11);

/// The longest wait for a change during a disruption. It is short, so that changes of other users
/// happen while a watcher is disconnected.
const TROUBLED_STEP: Duration = Duration::from_millis(20);

/// The longest time for a session to reconnect: a stall is detected after 15 s, and attempts to
/// connect follow.
const PATIENCE: Duration = Duration::from_secs(120);

/// The parameters of a history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) steps: usize,
}

/// A history after its last step, with all sessions connected.
pub(super) struct History {
    plan: Plan,
    rng: Rng,
    emulator: Emulator,
    actors: Vec<Session>,
    watchers: Vec<Watcher>,
    sent: SentMessages,
    /// The unanswered calls of each actor.
    asked: BTreeMap<usize, Vec<JoinHandle<Result<Option<Kind>>>>>,
    disruption: Option<(Disruption, usize)>,
    /// The events, one per line.
    log: Vec<String>,
    accepted: BTreeSet<Kind>,
}

/// The outcome of a history.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The kinds of changes that the server accepted at least once.
    pub(super) accepted: BTreeSet<Kind>,
    pub(super) compared: Compared,
    pub(super) log: Vec<String>,
}

impl History {
    /// Runs all steps of a history.
    pub(super) async fn play(plan: Plan) -> Result<Self> {
        let mut history = Self::begin(plan).await?;
        let mut rng = history.rng.clone();
        let troubles = if rng.u8(..4) == 0 {
            0
        } else {
            rng.usize(1..=8)
        };
        let at: BTreeSet<_> = (0..troubles).map(|_| rng.usize(..plan.steps)).collect();
        history.rng = rng;
        for step in 0..plan.steps {
            history.weather(step, at.contains(&step)).await?;
            history.watch(step)?;
            history.change(step).await?;
        }
        history.settle().await?;
        Ok(history)
    }

    async fn begin(plan: Plan) -> Result<Self> {
        let emulator = Emulator::builder().seed(plan.seed).start().await?;
        let app = plan.app();
        let actors = ACTORS
            .iter()
            .map(|actor| {
                let options = TalkOptions::new(app.as_str(), *actor)?.host(emulator.host());
                Ok(get_talk_session(options)?)
            })
            .collect::<Result<Vec<_>>>()?;
        try_join_all(actors.iter().map(|actor| {
            let name = UserParams::named(actor.user_id().as_str());
            actor.current_user().create_if_not_exists(name)
        }))
        .await?;
        for conversation in BUSY {
            for actor in &actors {
                let conversation = actor.conversation(conversation)?;
                conversation
                    .create_if_not_exists(Default::default())
                    .await?;
            }
        }
        let watchers = actors
            .iter()
            .filter(|actor| WATCHERS.contains(&actor.user_id().as_str()))
            .map(|actor| Watcher::new(actor.clone()))
            .collect::<Result<Vec<_>>>()?;
        let mut rng = Rng::with_seed(plan.seed);
        let past = actors[0].conversation(BUSY[0])?;
        // Some histories begin with more messages than a first page has.
        for i in 0..rng.usize(..60) {
            past.send(format!("past {i}")).await?;
        }
        // Some histories begin with more conversations than a first page has.
        for i in 0..rng.usize(..world::QUIET) {
            for watcher in &watchers {
                let conversation = watcher.session().conversation(world::quiet(i))?;
                conversation
                    .create_if_not_exists(Default::default())
                    .await?;
            }
        }
        Ok(Self {
            plan,
            rng,
            emulator,
            actors,
            watchers,
            sent: SentMessages::default(),
            asked: BTreeMap::new(),
            disruption: None,
            log: Vec::new(),
            accepted: BTreeSet::new(),
        })
    }

    /// Begins or ends a disruption if this step is the time for it.
    async fn weather(&mut self, step: usize, bad: bool) -> Result<()> {
        match self.disruption {
            None if bad => {
                let disruption = Disruption::choose(&mut self.rng);
                self.log.push(format!("{step}: {disruption:?}"));
                disruption.begin(&self.emulator, &mut self.rng).await?;
                let until = step + self.rng.usize(1..40);
                self.disruption = Some((disruption, until));
                if disruption != Disruption::Outage {
                    self.wake_bystanders();
                }
                Ok(())
            }
            Some((disruption, until)) if until <= step => {
                self.log.push(format!("{step}: {disruption:?} is over"));
                self.end_disruption().await
            }
            _ => Ok(()),
        }
    }

    /// Lets actors without subscriptions reconnect at once.
    fn wake_bystanders(&self) {
        for actor in &self.actors[WATCHERS.len()..] {
            actor.network_changed();
        }
    }

    async fn end_disruption(&mut self) -> Result<()> {
        let Some((disruption, _)) = self.disruption.take() else {
            return Ok(());
        };
        disruption.end(&self.emulator);
        if self.rng.bool() {
            for actor in &self.actors {
                actor.network_changed();
            }
        } else {
            self.wake_bystanders();
        }
        self.reach_server().await
    }

    /// Waits until every watcher has received an answer from the server. On a new connection, calls
    /// follow the subscriptions. The call is one that the server refuses, so that the session
    /// cannot answer it from its own data.
    async fn reach_server(&self) -> Result<()> {
        for watcher in &self.watchers {
            let nowhere = watcher.session().conversation("nowhere")?;
            match timeout(PATIENCE, nowhere.mark_as_read()).await {
                Ok(Ok(()) | Err(Error::Server(_))) => {}
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => bail!("{} stays away", watcher.session().user_id()),
            }
        }
        Ok(())
    }

    fn watch(&mut self, step: usize) -> Result<()> {
        if self.rng.u8(..5) > 0 {
            return Ok(());
        }
        let at = self.rng.usize(..self.watchers.len());
        let watcher = &mut self.watchers[at];
        let (text, more) = watcher.step(&mut self.rng, &self.sent)?;
        self.log.push(format!("{step}: {}: {text}", WATCHERS[at]));
        if let Some(more) = more {
            let loaded = tokio::spawn(async move {
                match more.await {
                    Ok(()) => Ok(None),
                    // A subscription may be dropped before or while it loads.
                    Err(Error::Usage(_) | Error::Transport(TransportError::Cancelled { .. })) => {
                        Ok(None)
                    }
                    Err(error) => Err(error.into()),
                }
            });
            self.asked.entry(at).or_default().push(loaded);
        }
        Ok(())
    }

    async fn change(&mut self, step: usize) -> Result<()> {
        // Watchers make changes too, because a session handles its own changes differently from
        // those of other users.
        let actor = if self.rng.u8(..3) == 0 {
            self.rng.usize(..WATCHERS.len())
        } else {
            self.rng.usize(..ACTORS.len())
        };
        let kind = Kind::choose(&mut self.rng);
        let session = &self.actors[actor];
        if kind == Kind::Typing && self.rng.u8(..4) == 0 {
            self.all_actors_type(step)?;
        } else if let Some(change) = kind.start(&mut self.rng, session, &self.sent)? {
            self.ask(step, actor, kind, change);
        }
        // Half of the changes are in flight together with the next ones.
        if self.rng.bool() {
            let limit = if self.disruption.is_some() {
                TROUBLED_STEP
            } else {
                PATIENCE
            };
            self.finish(actor, limit).await?;
        }
        Ok(())
    }

    /// Lets more users type than snapshots list by name.
    fn all_actors_type(&mut self, step: usize) -> Result<()> {
        let conversation = world::conversation(&mut self.rng);
        for actor in 0..self.actors.len() {
            let types = self.actors[actor]
                .conversation(conversation.as_str())?
                .mark_as_typing();
            let change = Change::new(conversation.clone(), types);
            self.ask(step, actor, Kind::Typing, change);
        }
        Ok(())
    }

    fn ask(&mut self, step: usize, actor: usize, kind: Kind, change: Change) {
        let line = format!("{step}: {}: {kind:?} {}", ACTORS[actor], change.text);
        self.log.push(line);
        let asked = tokio::spawn(async move {
            match change.result.await {
                Ok(()) => Ok(Some(kind)),
                Err(Error::Server(_)) => Ok(None),
                Err(error) => bail!("{kind:?}: {error}"),
            }
        });
        self.asked.entry(actor).or_default().push(asked);
    }

    /// Waits for the calls of an actor. If an answer takes longer than `limit`, returns during a
    /// disruption and fails otherwise.
    async fn finish(&mut self, actor: usize, limit: Duration) -> Result<()> {
        let Some(asked) = self.asked.get_mut(&actor) else {
            return Ok(());
        };
        while let Some(first) = asked.first_mut() {
            match timeout(limit, first).await {
                Ok(answer) => {
                    self.accepted.extend(answer??);
                    asked.remove(0);
                }
                Err(_) if self.disruption.is_some() => break,
                Err(_) => bail!("{} has no answer", ACTORS[actor]),
            }
        }
        Ok(())
    }

    /// Ends the disruption and waits until all calls are answered.
    async fn settle(&mut self) -> Result<()> {
        self.end_disruption().await?;
        for actor in 0..self.actors.len() {
            self.actors[actor].network_changed();
            self.finish(actor, PATIENCE).await?;
        }
        self.reach_server().await
    }

    /// Waits until typing and presence have settled, and compares the watchers' subscriptions.
    pub(super) async fn compare(self, fresh: &Fresh) -> Result<Outcome> {
        tokio::time::sleep(QUIET).await;
        let mut outcome = Outcome {
            accepted: self.accepted,
            log: self.log,
            ..Outcome::default()
        };
        let app = self.plan.app();
        for watcher in &self.watchers {
            let host = self.emulator.host();
            watcher
                .compare(fresh, host, &app, &mut outcome.compared)
                .await?;
        }
        drop(self.watchers);
        join_all(self.actors.iter().map(Session::shutdown)).await;
        self.emulator.shutdown().await;
        Ok(outcome)
    }
}

impl Plan {
    /// Returns the app of the history. Every history has its own, because the published client
    /// identifies sessions by app and user.
    fn app(&self) -> String {
        format!("seed-{}", self.seed)
    }
}
