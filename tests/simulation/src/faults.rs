//! Injects faults and heals them.

use std::time::Duration;

use fastrand::Rng;
use talk_emulator::server::{ConnectionId, Fault, FaultKind as ServerFault};
use talk_proto::{Input, SocketClosed, Timestamp};

use super::armed::Armed;
use super::fault_kind::FaultKind;
use super::net::{HttpRule, Rule, TokenAnswer};
use super::phase::Phase;
use super::wire::{self, Parcel, Wire};
use super::world::World;

/// The number of steps that a fault waits for its phase. After them, it is injected in any phase.
const PHASE_TIMEOUT: u64 = 400;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl World {
    /// Arms a fault, which is injected once the session is in `phase`.
    pub(super) fn arm(&mut self, kind: FaultKind, who: usize, phase: Phase, details: u32) {
        let until = self.steps + PHASE_TIMEOUT;
        self.armed.push(Armed {
            kind,
            who,
            phase,
            details,
            until,
        });
        self.fire_armed();
    }

    pub(super) fn fire_armed(&mut self) {
        let mut index = 0;
        while let Some(armed) = self.armed.get(index) {
            if armed.until <= self.steps || self.clients[armed.who].phase() == armed.phase {
                let armed = self.armed.remove(index);
                self.apply_fault(armed.kind, armed.who, armed.details);
            } else {
                index += 1;
            }
        }
    }

    fn apply_fault(&mut self, kind: FaultKind, who: usize, details: u32) {
        let is_connected = |wire: &Wire| !wire.server_is_gone;
        if kind == FaultKind::PlannedRestart && !self.wires.values().any(is_connected) {
            // The server would apply the fault to the next connection, which may be a probe of the
            // oracle.
            return;
        }
        self.steps += 1;
        self.trace(who, || format!("! {kind:?}"));
        let everybody = matches!(
            kind,
            FaultKind::Restart | FaultKind::RestartEmpty | FaultKind::PlannedRestart
        );
        for (n, client) in self.clients.iter().enumerate() {
            if n == who || everybody {
                self.matrix.count(kind, client.phase());
            }
        }
        let mut dice = Rng::with_seed(details.into());
        let now = self.now;
        let until = now + Duration::from_millis(dice.u64(200..20_000));
        if self.apply_bot_fault(kind, who, until, &mut dice) {
            return self.post();
        }
        match kind {
            FaultKind::Latency => {
                let most = [300, 2_000, 6_000][dice.usize(..3)];
                self.nets[who].latency = most / 4..most;
                self.nets[who].slow_until = until;
            }
            FaultKind::Refuse => {
                self.nets[who].refuses_until = until;
                if dice.bool() {
                    self.cut(who, true, true);
                }
            }
            FaultKind::Hang => {
                self.nets[who].hangs_until = until + seconds(10);
                self.cut(who, true, true);
            }
            FaultKind::Cut => self.cut(who, true, true),
            FaultKind::HalfOpenClient => self.cut(who, false, true),
            FaultKind::HalfOpenServer => self.cut(who, true, false),
            FaultKind::Stall => {
                let until = now + Duration::from_millis(dice.u64(100..40_000));
                for wire in self.wires.values_mut().filter(|w| w.client.who == who) {
                    wire.up.stall(until);
                    wire.down.stall(until);
                }
            }
            FaultKind::Restart => self.restart(&mut dice),
            FaultKind::RestartEmpty => {
                self.restart(&mut dice);
                self.forget_everything();
            }
            FaultKind::PlannedRestart => self.inject(ServerFault::Restart, None),
            FaultKind::TokenExpired => self.inject(ServerFault::TokenExpiry, Some(who)),
            FaultKind::TokenRejected => self.bad_tokens(who, TokenAnswer::Rejected, &mut dice),
            FaultKind::TokenShortLived => self.bad_tokens(who, TokenAnswer::ShortLived, &mut dice),
            FaultKind::TokenSilence => self.bad_tokens(who, TokenAnswer::Silence, &mut dice),
            FaultKind::TokenLate => self.bad_tokens(who, TokenAnswer::Late, &mut dice),
            FaultKind::Status401 => self.rules(who, Rule::Refuse(401), &mut dice),
            FaultKind::Status402 => self.rules(who, Rule::Refuse(402), &mut dice),
            FaultKind::Status403 => self.rules(who, Rule::Refuse(403), &mut dice),
            FaultKind::Status429 => self.rules(who, Rule::Refuse(429), &mut dice),
            FaultKind::Status500 => self.rules(who, Rule::Refuse(500), &mut dice),
            FaultKind::Done500 => self.rules(who, Rule::Done500, &mut dice),
            FaultKind::LostAnswer => self.nets[who].rules.push_back(Rule::LostAnswer),
            FaultKind::Unanswered => {
                let ignored = &mut self.nets[who].ignored;
                ignored.until = now + seconds(dice.u64(1..200));
                ignored.are_done = dice.bool();
            }
            FaultKind::Suspend => self.sleep(who, now + seconds(dice.u64(1..4_000))),
            FaultKind::ClockForward => {
                let jump = [seconds(8), seconds(60), seconds(4_000)][dice.usize(..3)];
                let mut clock = self.clients[who].clock;
                clock.ahead += jump;
                self.clients[who].set_clock(now, clock);
            }
            FaultKind::ClockBack => {
                let mut clock = self.clients[who].clock;
                clock.behind = seconds(dice.u64(1..20));
                self.clients[who].set_clock(now, clock);
            }
            FaultKind::SlowConsumer => self.clients[who].slow_until = now + seconds(60),
            FaultKind::LargeFrame => self.send_large(who, &mut dice),
            FaultKind::FrameTooLarge => {
                // Two losses in a row to such a frame end the subscriptions and calls that wait for
                // it.
                self.clients[who].may_lose_subscriptions = true;
                self.nets[who].next_is_too_large = true;
            }
            FaultKind::Garbage => self.send_garbage(who, &mut dice),
            FaultKind::UnreadableEvent => self.nets[who].unreadable_events = dice.u32(1..6),
            FaultKind::UnreadableItem => self.nets[who].unreadable_items = dice.u32(1..6),
            FaultKind::RepeatedPublish => self.repeat_publish(who),
            FaultKind::Stale => self.input_stale(who, &mut dice),
            FaultKind::Http => {
                let rule = match dice.u32(0..9) {
                    0 => HttpRule::Lose,
                    1 => HttpRule::Silence,
                    2 => HttpRule::Late,
                    3 => HttpRule::BreakOff,
                    4 => HttpRule::Source,
                    5 => HttpRule::Refuse(401),
                    6 => HttpRule::Refuse([403, 413][dice.usize(..2)]),
                    7 => HttpRule::Refuse(429),
                    _ => HttpRule::Refuse([500, 502, 503][dice.usize(..3)]),
                };
                self.nets[who].http_rules.push_back(rule);
            }
            FaultKind::Crash
            | FaultKind::StoreSlow
            | FaultKind::StoreFull
            | FaultKind::StoreSilent
            | FaultKind::KeysForgotten
            | FaultKind::FilesChanged
            | FaultKind::TokensExpired
            | FaultKind::AccessFirst
            | FaultKind::Normalised
            | FaultKind::Exit
            | FaultKind::Reopen
            | FaultKind::DatabaseDown
            | FaultKind::DatabaseSlow
            | FaultKind::DatabaseSilent => self.apply_store_fault(kind, who, until, &mut dice),
        }
        self.post();
    }

    fn wires_of(&self, who: usize) -> Vec<ConnectionId> {
        let wires = self.wires.iter();
        let mine = wires.filter(|(_, wire)| wire.client.who == who);
        mine.map(|(id, _)| *id).collect()
    }

    /// Cuts every connection of a session, and notifies the chosen ends.
    fn cut(&mut self, who: usize, client_learns: bool, server_learns: bool) {
        let at = self.arrival(who);
        for id in self.wires_of(who) {
            let Some(wire) = self.wires.get_mut(&id) else {
                continue;
            };
            wire.up.cut(&mut self.rng);
            wire.down.cut(&mut self.rng);
            if client_learns {
                let cause = SocketClosed::Lost("the wire broke".to_owned());
                wire.down.put_last(at, Parcel::Closed(cause));
            }
            if server_learns {
                wire.up.put_last(at, Parcel::Goodbye);
            }
        }
    }

    /// Crashes the server: all connections are closed with a random code.
    fn restart(&mut self, dice: &mut Rng) {
        let code = [None, Some(1001), Some(1006), Some(1012), Some(1013)][dice.usize(..5)];
        let refusing = Duration::from_millis(dice.u64(0..4_000));
        for id in self.wires.keys().copied().collect::<Vec<_>>() {
            let Some(wire) = self.wires.get_mut(&id).filter(|w| !w.server_is_gone) else {
                continue;
            };
            wire.down.cut(&mut self.rng);
            self.server.closed(self.now, id);
            self.close_down(id, SocketClosed::ByServer { code });
        }
        for net in &mut self.nets {
            net.refuses_until = net.refuses_until.max(self.now + refusing);
        }
    }

    fn inject(&mut self, kind: ServerFault, who: Option<usize>) {
        let fault = Fault {
            kind,
            user: who.map(|who| self.clients[who].user.to_owned()),
            path: None,
            times: 1,
            after_ms: None,
            after_bytes: None,
        };
        if kind == ServerFault::TokenExpiry {
            for client in &mut self.clients {
                client.auth_failures += u32::from(fault.user.as_deref() == Some(client.user));
            }
        }
        self.server.inject(self.now, fault);
    }

    /// Makes the next tokens unusable, and expires the current one.
    fn bad_tokens(&mut self, who: usize, answer: TokenAnswer, dice: &mut Rng) {
        for _ in 0..dice.u32(1..4) {
            self.nets[who].tokens.push_back(answer);
        }
        self.inject(ServerFault::TokenExpiry, Some(who));
    }

    fn rules(&mut self, who: usize, rule: Rule, dice: &mut Rng) {
        for _ in 0..dice.u32(1..4) {
            self.nets[who].rules.push_back(rule);
        }
    }

    /// Records the allowed consequences of a request that a rule applies to.
    pub(super) fn note_rule(&mut self, who: usize, frame: &str, rule: Rule) {
        let client = &mut self.clients[who];
        client.may_lose_subscriptions = true;
        let is_renewal = wire::path(frame) == Some("/session/renew");
        client.auth_failures += u32::from(is_renewal || rule == Rule::Refuse(401));
        client.may_end |= is_renewal && rule == Rule::Refuse(402);
        if rule != Rule::LostAnswer
            && let Some(number) = send_number(frame)
        {
            self.sends.delayed(number, rule == Rule::Done500);
        }
    }

    /// Records a request that is never answered.
    pub(super) fn note_ignored(&mut self, who: usize, frame: &str) {
        // The third time ends the subscription that waits for it.
        self.clients[who].may_lose_subscriptions = true;
        if let Some(number) = send_number(frame) {
            let is_done = self.nets[who].ignored.are_done;
            self.sends.delayed(number, is_done);
        }
    }

    /// Records a frame that has reached the server.
    pub(super) fn note_arrival(&mut self, connection: ConnectionId, frame: &str) {
        if let Some(number) = send_number(frame) {
            self.sends.arrived(number, connection);
        }
    }

    /// Records a request that the server refused. After a 401, the session suspects its token.
    pub(super) fn note_refused(&mut self, who: usize, frame: &str, status: &str) {
        self.clients[who].auth_failures += u32::from(status == "401");
        if let Some(number) = send_number(frame) {
            self.sends.delayed(number, false);
        }
    }

    pub(super) fn sleep(&mut self, who: usize, until: Timestamp) {
        self.nets[who].asleep_until = until;
        for wire in self.wires.values_mut().filter(|w| w.client.who == who) {
            wire.down.stall(until);
        }
    }

    fn send_large(&mut self, who: usize, dice: &mut Rng) {
        // Ten megabytes only seldom, because they take long.
        let size = if dice.u32(..40) == 0 {
            10 << 20
        } else {
            60_000
        };
        let text = "x".repeat(size);
        let number = if dice.bool() { "null" } else { "[]" };
        for id in self.wires_of(who) {
            self.send_down(id, format!("[{number},\"{text}\"]"));
        }
    }

    fn send_garbage(&mut self, who: usize, dice: &mut Rng) {
        let garbage = [
            "",
            "]",
            "{}",
            "[1",
            "null",
            "[9007199254740993,200,{}]",
            "[-1,\"PUBLISH\"]",
            "[\"1\",200,{}]",
            "[1000000,200,{\"unknown\":true}]",
            "\u{feff}[0,200,{}]",
        ];
        let text = garbage[dice.usize(..garbage.len())];
        for id in self.wires_of(who) {
            self.send_down(id, text.to_owned());
        }
    }

    fn repeat_publish(&mut self, who: usize) {
        for id in self.wires_of(who) {
            let last = self.wires.get(&id).and_then(|w| w.last_publish.clone());
            if let Some(text) = last {
                self.send_down(id, text);
            }
        }
    }

    /// Sends an input for a socket or token fetch that is over.
    fn input_stale(&mut self, who: usize, dice: &mut Rng) {
        let client = &self.clients[who];
        let old = client.sockets.iter().rev();
        let old = old.copied().find(|id| Some(*id) != client.socket);
        let fetch = client.fetches.iter().rev().nth(1).copied();
        match (dice.u32(..5), old, fetch) {
            (0, Some(socket), _) => self.input(who, Input::SocketOpened { socket }),
            (1, Some(socket), _) => {
                // Some numbers are greater than every number on the current socket.
                let number = dice.u32(1..1_000);
                let text = format!(r#"[{number},"PUBLISH",{{"type":"session.expired"}}]"#);
                let text = text.as_str();
                self.input(who, Input::SocketFrame { socket, text });
            }
            (2, Some(socket), _) => {
                let cause = SocketClosed::Lost("long ago".to_owned());
                self.input(who, Input::SocketClosed { socket, cause });
            }
            (4, ..) if self.store_again(who) => {}
            (3, _, Some(fetch)) => {
                let result = Ok("a-stale-token".into());
                self.input(who, Input::Token { fetch, result });
            }
            _ => self.input(who, Input::Tick),
        }
    }

    /// Ends all faults, and notifies the server of closed connections.
    pub(super) fn heal(&mut self) {
        self.armed.clear();
        self.heal_stores();
        for who in 0..self.clients.len() {
            self.nets[who].heal(self.now);
            let mut clock = self.clients[who].clock;
            clock.behind = Duration::ZERO;
            self.clients[who].set_clock(self.now, clock);
            self.clients[who].slow_until = self.now;
        }
        for wire in self.wires.values_mut() {
            wire.up.resume(self.now);
            wire.down.resume(self.now);
            if wire.client_is_gone && !wire.server_is_gone {
                wire.up.put_last(self.now, Parcel::Goodbye);
            }
        }
    }
}

/// Returns the number of the send in a frame, or `None` for other frames.
fn send_number(frame: &str) -> Option<u64> {
    let (_, rest) = frame.split_once("\"n\":\"")?;
    rest.split('"').next()?.parse().ok()
}
