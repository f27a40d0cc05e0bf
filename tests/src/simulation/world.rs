//! Sessions and a server in virtual time, and the loop over whatever happens next.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fastrand::Rng;
use talk_emulator::server::{ConnectionId, Server, Settings};
use talk_proto::{
    Addresses, Input, Limits, Pacing, Session, SessionOptions, Timestamp,
    upload::{FileToken, Upload},
};

use super::broken::broken;
use super::client::Client;
use super::faults::Armed;
use super::mail::{Address, Mailbox};
use super::matrix::Matrix;
use super::net::Net;
use super::outbox::Outbox;
use super::wire::Wire;

/// The app of every session.
pub(super) const APP: &str = "app";
/// What tokens are signed with, where they are.
pub(super) const SECRET: &str = "the secret of the simulation";
/// Who can be seen in every world.
pub(super) const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
/// Where they talk.
pub(super) const CONVERSATIONS: [&str; 3] = ["c1", "c/2", "c3"];
/// Further conversations of some worlds, so that lists have several pages.
pub(super) const MORE_CONVERSATIONS: [&str; 45] = [
    "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11", "m12", "m13", "m14",
    "m15", "m16", "m17", "m18", "m19", "m20", "m21", "m22", "m23", "m24", "m25", "m26", "m27",
    "m28", "m29", "m30", "m31", "m32", "m33", "m34", "m35", "m36", "m37", "m38", "m39", "m40",
    "m41", "m42", "m43", "m44",
];
/// When a world begins.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// The most steps without time passing: more are a loop.
const STEPS_AT_ONCE: u64 = 200_000;

/// How the sessions of a world prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// With tokens of the application, which the server checks.
    Signed,
    /// With tokens of the application, any of which the server takes.
    Any,
    /// With tokens that the server gives to everybody.
    Boken,
}

/// A message that somebody knows of.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) conversation: &'static str,
    pub(super) id: String,
    pub(super) number: u64,
}

/// Everything.
pub(super) struct World {
    pub(super) now: Timestamp,
    /// Frames, timers, commands and faults so far.
    pub(super) steps: u64,
    /// Decides what the network does.
    pub(super) rng: Rng,
    pub(super) server: Server,
    pub(super) proof: Proof,
    pub(super) pacing: Pacing,
    pub(super) limits: Limits,
    /// The conversations beside [`CONVERSATIONS`].
    pub(super) more_conversations: &'static [&'static str],
    pub(super) clients: Vec<Client>,
    pub(super) nets: Vec<Net>,
    pub(super) mailbox: Mailbox,
    pub(super) wires: BTreeMap<ConnectionId, Wire>,
    pub(super) next_connection: u64,
    pub(super) armed: Vec<Armed>,
    pub(super) matrix: Matrix,
    pub(super) outbox: Outbox,
    pub(super) known: VecDeque<Known>,
    pub(super) files: VecDeque<FileToken>,
    pub(super) uploads: BTreeMap<(usize, talk_proto::RequestId), Upload>,
    pub(super) probe_frames: Vec<(ConnectionId, String)>,
    pub(super) next_token: u64,
    /// A session whose commands of this tick are not drained.
    pub(super) undrained: Option<usize>,
    /// Set if everything that happens is printed.
    pub(super) is_traced: bool,
    steps_at_once: u64,
}

/// What happens next.
enum Next {
    Mail,
    Up(ConnectionId),
    Down(ConnectionId),
    Server,
    Tick(usize),
}

impl World {
    /// The world that follows from a seed, with everybody in it and nothing said.
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let proof = [Proof::Signed, Proof::Signed, Proof::Any, Proof::Boken][rng.usize(..4)];
        let sessions = Self::sessions(seed);
        let pacing = if rng.bool() {
            Pacing::default()
        } else {
            Pacing::Off
        };
        let mut limits = Limits::default();
        limits.frame_size = 4 << 20;
        if rng.u8(..4) == 0 {
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
            more_conversations: if seed % 8 == 5 {
                &MORE_CONVERSATIONS
            } else {
                &[]
            },
            clients: Vec::new(),
            nets: (0..sessions).map(|_| Net::new(START)).collect(),
            mailbox: Mailbox::default(),
            wires: BTreeMap::new(),
            next_connection: 0,
            armed: Vec::new(),
            matrix: Matrix::default(),
            outbox: Outbox::default(),
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
        world.populate();
        world
    }

    /// How many sessions there are in the world of a seed.
    pub(super) fn sessions(seed: u64) -> usize {
        2 + usize::try_from(seed % 4).unwrap_or(0)
    }

    /// Returns all conversations of the world.
    pub(super) fn conversations(&self) -> impl Iterator<Item = &'static str> + use<> {
        CONVERSATIONS.iter().chain(self.more_conversations).copied()
    }

    fn new_client(&mut self, who: usize, life: u64) -> Client {
        let user = USERS[who % USERS.len()];
        let (Ok(app), Ok(me)) = (APP.try_into(), user.try_into()) else {
            broken("IDs are IDs", user);
        };
        let mut options = SessionOptions::new(app, me);
        options.addresses = Addresses::of_host("127.0.0.1:1");
        options.pacing = self.pacing;
        options.limits = self.limits.clone();
        options.authentication.can_fetch_token = self.proof != Proof::Boken;
        Client::new(user, life, options, self.rng.u64(..), self.now)
    }

    /// A server that remembers nothing takes the place of the one before.
    pub(super) fn forget_everything(&mut self) {
        self.server = Server::new(settings(self.proof), self.rng.u64(..), self.now);
        self.known.clear();
        self.files.clear();
        self.outbox.forget();
        self.populate();
    }

    /// The session, unless it has ended: then a new one takes its place.
    pub(super) fn revive(&mut self, who: usize) {
        if self.clients[who].end.is_some() {
            let life = self.clients[who].life + 1;
            self.clients[who] = self.new_client(who, life);
            self.uploads.retain(|(of, _), _| *of != who);
        }
    }

    pub(super) fn address(&self, who: usize) -> Address {
        let life = self.clients[who].life;
        Address { who, life }
    }

    /// The session that something is for, unless it is over.
    pub(super) fn at(&mut self, address: Address) -> Option<&mut Client> {
        let client = &mut self.clients[address.who];
        (client.life == address.life).then_some(client)
    }

    /// Prints what happens to a session, if that is wanted.
    pub(super) fn trace(&self, who: usize, what: impl FnOnce() -> String) {
        if self.is_traced {
            let at = self.now.saturating_since(START).as_millis();
            println!("{at:>8} ms  {who}  {}", what());
        }
    }

    /// Lets time pass.
    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = self.now.max(end);
        self.steps_at_once = 0;
    }

    /// Lets the next thing happen, if it does so by `end`.
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

    /// Commands that were given together make one tick; this ends it.
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

    /// Gives a session a command that is not resolved.
    pub(super) fn tell(&mut self, who: usize, command: impl FnOnce(&mut Session, Timestamp)) {
        let now = self.now;
        self.clients[who].tell(now, command);
    }
}

/// Enough of a frame to know it by.
pub(super) fn start(frame: &str) -> String {
    frame.chars().take(200).collect()
}

fn settings(proof: Proof) -> Settings {
    Settings {
        secret: (proof == Proof::Signed).then(|| SECRET.to_owned()),
        ..Settings::default()
    }
}
