//! Sessions and a server in virtual time, and the loop over the next due event.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fastrand::Rng;
use talk_emulator::server::{ConnectionId, Server, Settings};
use talk_proto::{
    Addresses, Input, Limits, Pacing, Session, SessionOptions, Timestamp,
    outbox::OutboxOptions,
    upload::{FileToken, Upload},
};

use super::armed::Armed;
use super::bots::BOT;
use super::bots::state::Bots;
use super::broken::broken;
use super::client::{Client, Start};
use super::mail::{Address, Mailbox};
use super::matrix::Matrix;
use super::net::Net;
use super::sends::Sends;
use super::stores::Stores;
use super::wire::Wire;

/// The app of every session.
pub(super) const APP: &str = "app";
/// The secret that signs tokens, if the server checks them.
pub(super) const SECRET: &str = "the secret of the simulation";
/// The users of every world.
pub(super) const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
/// The conversations of every world.
pub(super) const CONVERSATIONS: [&str; 3] = ["c1", "c/2", "c3"];
/// Further conversations of some worlds, so that lists have several pages.
pub(super) const MORE_CONVERSATIONS: [&str; 45] = [
    "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11", "m12", "m13", "m14",
    "m15", "m16", "m17", "m18", "m19", "m20", "m21", "m22", "m23", "m24", "m25", "m26", "m27",
    "m28", "m29", "m30", "m31", "m32", "m33", "m34", "m35", "m36", "m37", "m38", "m39", "m40",
    "m41", "m42", "m43", "m44",
];
/// The start time of a world.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// The maximum number of steps without progress of time. More steps are an endless loop.
const STEPS_AT_ONCE: u64 = 200_000;

/// The authentication of a world's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The application's tokens, which the server checks.
    Signed,
    /// The application's tokens, which the server accepts unchecked.
    Any,
    /// Anonymous tokens, which the server issues to any user.
    Boken,
}

/// A message that users can refer to.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) conversation: &'static str,
    pub(super) id: String,
    pub(super) number: u64,
}

/// The whole state of a simulation.
pub(super) struct World {
    pub(super) now: Timestamp,
    /// The number of frames, timers, commands and faults so far.
    pub(super) steps: u64,
    /// Random numbers for the network.
    pub(super) rng: Rng,
    pub(super) server: Server,
    pub(super) proof: Proof,
    pub(super) pacing: Pacing,
    pub(super) limits: Limits,
    /// The conversations in addition to [`CONVERSATIONS`].
    pub(super) more_conversations: &'static [&'static str],
    /// Set if windows are longer than the part that is fetched first after a connection loss.
    pub(super) has_long_windows: bool,
    pub(super) clients: Vec<Client>,
    pub(super) nets: Vec<Net>,
    pub(super) mailbox: Mailbox,
    pub(super) wires: BTreeMap<ConnectionId, Wire>,
    pub(super) next_connection: u64,
    pub(super) armed: Vec<Armed>,
    pub(super) matrix: Matrix,
    pub(super) sends: Sends,
    /// The stores of the sessions, in worlds that have them.
    pub(super) stores: Option<Stores>,
    /// The processes of a bot and their database, in worlds of bots.
    pub(super) bots: Option<Box<Bots>>,
    pub(super) known: VecDeque<Known>,
    pub(super) files: VecDeque<FileToken>,
    pub(super) uploads: BTreeMap<(usize, talk_proto::RequestId), Upload>,
    pub(super) probe_frames: Vec<(ConnectionId, String)>,
    pub(super) next_token: u64,
    /// A session whose commands of this tick are not drained yet.
    pub(super) undrained: Option<usize>,
    /// Set if every event is printed.
    pub(super) is_traced: bool,
    steps_at_once: u64,
}

/// The next event.
enum Next {
    Mail,
    Up(ConnectionId),
    Down(ConnectionId),
    Server,
    Tick(usize),
    Bots,
}

impl World {
    /// Creates the world of a seed, with all users in it and no messages.
    pub(super) fn new(seed: u64) -> Self {
        let mut world = Self::with(seed, Self::sessions(seed), None);
        world.populate();
        world
    }

    /// Creates the world of bots of a seed, with all users in it and no messages.
    pub(super) fn of_bots(seed: u64) -> Self {
        let bots = Box::new(Bots::new(seed, START));
        let mut world = Self::with(seed, Bots::processes(seed), Some(bots));
        world.populate_bots();
        world
    }

    fn with(seed: u64, sessions: usize, bots: Option<Box<Bots>>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let proof = [Proof::Signed, Proof::Signed, Proof::Any, Proof::Boken][rng.usize(..4)];
        let pacing = if rng.bool() {
            Pacing::default()
        } else {
            Pacing::Off
        };
        let mut limits = Limits::default();
        limits.frame_size = 4 << 20;
        if rng.u8(..4) == 0 && bots.is_none() {
            limits.pending_calls = rng.usize(4..40);
            limits.window = rng.usize(31..60);
        }
        let mut world = Self {
            now: START,
            steps: 0,
            server: Server::new(settings(proof), rng.u64(..), START),
            rng,
            proof,
            pacing,
            limits,
            more_conversations: if seed % 8 == 5 && bots.is_none() {
                &MORE_CONVERSATIONS
            } else {
                &[]
            },
            has_long_windows: seed % 8 == 7 && bots.is_none(),
            clients: Vec::new(),
            nets: (0..sessions).map(|_| Net::new(START)).collect(),
            mailbox: Mailbox::default(),
            wires: BTreeMap::new(),
            next_connection: 0,
            armed: Vec::new(),
            matrix: Matrix::default(),
            sends: Sends::default(),
            stores: None,
            bots,
            known: VecDeque::new(),
            files: VecDeque::new(),
            uploads: BTreeMap::new(),
            probe_frames: Vec::new(),
            next_token: 0,
            undrained: None,
            is_traced: false,
            steps_at_once: 0,
        };
        for who in 0..sessions {
            let client = world.new_client(who, 0);
            world.clients.push(client);
        }
        world
    }

    /// Returns the number of sessions in the world of a seed.
    pub(super) fn sessions(seed: u64) -> usize {
        2 + usize::try_from(seed % 4).unwrap_or(0)
    }

    /// Returns all conversations of the world.
    pub(super) fn conversations(&self) -> impl Iterator<Item = &'static str> + use<> {
        CONVERSATIONS.iter().chain(self.more_conversations).copied()
    }

    fn user_of(&self, who: usize) -> &'static str {
        match &self.stores {
            _ if self.bots.is_some() => BOT,
            Some(stores) if stores.twin == Some(who) => USERS[0],
            _ => USERS[who % USERS.len()],
        }
    }

    pub(super) fn new_client(&mut self, who: usize, life: u64) -> Client {
        let user = self.user_of(who);
        let (Ok(app), Ok(me)) = (APP.try_into(), user.try_into()) else {
            broken("IDs are IDs", user);
        };
        let mut options = SessionOptions::new(app, me);
        options.addresses = Addresses::of_host("127.0.0.1:1");
        options.pacing = self.pacing;
        options.limits = self.limits.clone();
        options.authentication.can_fetch_token = self.proof != Proof::Boken;
        let stores = self.stores.as_ref();
        options.outbox = stores.map(|stores| stores.options.clone());
        options.cache = stores.is_some_and(|stores| stores.has_cache);
        if self.bots.is_some() {
            options.outbox = Some(OutboxOptions::default());
        }
        let start = match stores {
            None if self.bots.is_some() => Start::Standby,
            None => Start::WithoutStore,
            Some(stores) => Start::Restored(stores.disks[who].records()),
        };
        let seed = self.rng.u64(..);
        Client::new(user, life, options, seed, self.now, &start)
    }

    /// Replaces the server by one without data.
    pub(super) fn forget_everything(&mut self) {
        self.server = Server::new(settings(self.proof), self.rng.u64(..), self.now);
        self.known.clear();
        self.files.clear();
        self.sends.forget();
        if let Some(stores) = &mut self.stores {
            stores.posts.forget();
        }
        self.populate();
    }

    /// Replaces a session that has ended.
    pub(super) fn revive(&mut self, who: usize) {
        if self.clients[who].end.is_some() {
            self.end_process(who);
        }
    }

    pub(super) fn address(&self, who: usize) -> Address {
        let life = self.clients[who].life;
        Address { who, life }
    }

    /// Returns the session at an address, unless it has been replaced.
    pub(super) fn at(&mut self, address: Address) -> Option<&mut Client> {
        let client = &mut self.clients[address.who];
        (client.life == address.life).then_some(client)
    }

    /// Prints an event of a session if tracing is on.
    pub(super) fn trace(&self, who: usize, what: impl FnOnce() -> String) {
        if self.is_traced {
            let at = self.now.saturating_since(START).as_millis();
            println!("{at:>8} ms  {who}  {}", what());
        }
    }

    /// Advances the time.
    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = self.now.max(end);
        self.steps_at_once = 0;
    }

    /// Executes the next event if it is due by `end`. Returns `true` if there was one.
    pub(super) fn step(&mut self, end: Timestamp) -> bool {
        self.finish_tick();
        let Some((at, next)) = self.next().filter(|(at, _)| *at <= end) else {
            return false;
        };
        if at > self.now {
            self.now = at;
            self.steps_at_once = 0;
        }
        self.steps += 1;
        self.steps_at_once += 1;
        if self.steps_at_once > STEPS_AT_ONCE {
            broken("time passes", format!("{STEPS_AT_ONCE} steps at {at}"));
        }
        match next {
            Next::Mail => {
                if let Some(mail) = self.mailbox.take() {
                    self.deliver_mail(mail);
                }
            }
            Next::Up(connection) => self.deliver_up(connection),
            Next::Down(connection) => self.deliver_down(connection),
            Next::Server => {
                self.server.tick(self.now);
                self.post();
            }
            Next::Bots => self.advance_bots(),
            Next::Tick(who) => {
                let time = self.clients[who].time(self.now);
                if self.clients[who].session.poll_timeout() <= Some(time) {
                    self.input(who, Input::Tick);
                }
            }
        }
        self.fire_armed();
        true
    }

    fn next(&self) -> Option<(Timestamp, Next)> {
        let mut next: Option<(Timestamp, Next)> = None;
        let mut consider = |at: Option<Timestamp>, what: Next| {
            if let Some(at) = at
                && next.as_ref().is_none_or(|(first, _)| at < *first)
            {
                next = Some((at, what));
            }
        };
        consider(self.mailbox.next_at(), Next::Mail);
        consider(self.server.poll_timeout(), Next::Server);
        consider(self.bots_next_at(), Next::Bots);
        for (id, wire) in &self.wires {
            consider(wire.up.next_at(), Next::Up(*id));
            consider(wire.down.next_at(), Next::Down(*id));
        }
        for (who, client) in self.clients.iter().enumerate() {
            let awake = self.nets[who].asleep_until;
            consider(client.tick_at().map(|at| at.max(awake)), Next::Tick(who));
        }
        next
    }

    /// Drains the commands that were given together in one tick.
    pub(super) fn finish_tick(&mut self) {
        if let Some(who) = self.undrained.take() {
            self.drain(who);
        }
    }

    pub(super) fn input(&mut self, who: usize, input: Input<'_>) {
        self.trace(who, || match &input {
            Input::SocketFrame { text, .. } => format!("< {}", start(text)),
            input => format!("< {input:?}"),
        });
        self.clients[who].input(self.now, input);
        self.drain(who);
    }

    /// Sends a session a command without a result.
    pub(super) fn execute(&mut self, who: usize, command: impl FnOnce(&mut Session, Timestamp)) {
        let now = self.now;
        self.clients[who].execute(now, command);
    }
}

/// Returns the beginning of a frame, for traces and failures.
pub(super) fn start(frame: &str) -> String {
    frame.chars().take(200).collect()
}

fn settings(proof: Proof) -> Settings {
    Settings {
        secret: (proof == Proof::Signed).then(|| SECRET.to_owned()),
        ..Settings::default()
    }
}
