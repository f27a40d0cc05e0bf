//! A minimal model of a session's behaviour.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

/// The number of failures after which a call fails.
const MAX_FAILURES: u32 = 10;
/// The maximum number of refusals of a call. The next delay is still shorter than a pause.
const MAX_REFUSALS: u32 = 10;
/// The length of [`Step::Pause`] in tenths of a second.
pub(super) const PAUSE: u32 = 19;
/// A request is in flight for less than this, in tenths of a second.
const MAX_AGE: u32 = 300;
/// The time for which an unneeded subscription is kept, in tenths of a second.
const LINGER: u32 = 300;
pub(super) const USERS: [&str; 3] = ["bob", "carol", "dave"];

/// A step of a history. Only the steps that mention a time advance the clock.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Sends messages to a conversation, all in one tick.
    Send {
        conversation: u8,
        count: u8,
    },
    /// Makes another call, which waits for no other.
    Mark,
    /// Answers a call in flight.
    Answer {
        call: usize,
        status: u16,
    },
    Cancel {
        call: usize,
    },
    Subscribe {
        user: usize,
    },
    Unsubscribe {
        user: usize,
    },
    /// Cuts the connection. Another one is possible after the next reconnect or wait.
    Lose,
    /// Makes another connection possible.
    Reconnect,
    /// Expires the token, then waits.
    Expire,
    /// Waits for seconds, which is longer than the delay of a refused call.
    Pause,
    /// Waits for minutes, in which every call fails without an answer.
    Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The call is sent as soon as there is a connection.
    Queued,
    InFlight,
    /// The server was too busy. The call is sent again later.
    Waits,
}

#[derive(Clone, Debug)]
struct Call {
    number: usize,
    /// The conversation of a message.
    conversation: Option<u8>,
    place: Place,
    was_sent: bool,
    /// Set if the server was too busy and has not processed the call since. Later sends to the
    /// conversation wait.
    was_refused: bool,
    failures: u32,
    refusals: u32,
    /// The time since it was sent, in tenths of a second.
    age: u32,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Refused(u16),
    Cancelled { maybe_happened: bool },
    Unanswered,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// The accepted and unresolved calls, in order.
    calls: Vec<Call>,
    next: usize,
    pub(super) resolved: BTreeMap<usize, Outcome>,
    /// The calls that the server was ever too busy for. They may arrive after later calls.
    pub(super) refused: BTreeSet<usize>,
    /// The number of subscriptions to each user.
    pub(super) shown: BTreeMap<usize, usize>,
    /// The users to which the client is subscribed, including lingering subscriptions.
    pub(super) held: BTreeSet<usize>,
    /// The time since each of the users was last shown, in tenths of a second.
    hidden_for: BTreeMap<usize, u32>,
    pub(super) is_connected: bool,
    /// Set if the connection was lost and no other one is possible yet.
    is_cut: bool,
    /// Set if the server accepted a request with the token. An unproven token that expires is not
    /// replaced at once.
    is_proven: bool,
    pub(super) tokens: usize,
}

impl Model {
    pub(super) fn steps(&self) -> BoxedStrategy<Step> {
        let mut steps = vec![
            (
                4,
                (0..3u8, 1..4u8)
                    .prop_map(|(conversation, count)| Step::Send {
                        conversation,
                        count,
                    })
                    .boxed(),
            ),
            (1, Just(Step::Mark).boxed()),
            (
                2,
                (0..USERS.len())
                    .prop_map(|user| Step::Subscribe { user })
                    .boxed(),
            ),
            (2, Just(Step::Wait).boxed()),
        ];
        let in_flight = self.in_flight();
        if !in_flight.is_empty() {
            let statuses = select(vec![200, 200, 200, 403, 429, 429, 500, 503]);
            let answer = (select(in_flight), statuses);
            steps.push((
                8,
                answer
                    .prop_map(|(call, status)| Step::Answer { call, status })
                    .boxed(),
            ));
        }
        let calls: Vec<_> = self.calls.iter().map(|call| call.number).collect();
        if !calls.is_empty() {
            steps.push((
                1,
                select(calls).prop_map(|call| Step::Cancel { call }).boxed(),
            ));
        }
        let shown: Vec<_> = self.shown.keys().copied().collect();
        if !shown.is_empty() {
            steps.push((
                1,
                select(shown)
                    .prop_map(|user| Step::Unsubscribe { user })
                    .boxed(),
            ));
        }
        if self.is_connected {
            steps.push((1, Just(Step::Lose).boxed()));
        }
        if self.is_cut {
            steps.push((3, Just(Step::Reconnect).boxed()));
        }
        if self.can_pause() {
            steps.push((4, Just(Step::Pause).boxed()));
        }
        if self.can_expire() {
            steps.push((1, Just(Step::Expire).boxed()));
        }
        proptest::strategy::Union::new_weighted(steps).boxed()
    }

    pub(super) fn allows(&self, step: &Step) -> bool {
        match step {
            Step::Answer { call, status } => {
                let is_in_flight =
                    |other: &Call| other.number == *call && other.place == Place::InFlight;
                let call = self.calls.iter().find(|other| is_in_flight(other));
                call.is_some_and(|call| *status != 429 || call.refusals < MAX_REFUSALS)
            }
            Step::Cancel { call } => self.calls.iter().any(|other| other.number == *call),
            Step::Unsubscribe { user } => self.shown.contains_key(user),
            Step::Lose => self.is_connected,
            Step::Reconnect => self.is_cut,
            Step::Pause => self.can_pause(),
            Step::Expire => self.can_expire(),
            Step::Send { .. } | Step::Mark | Step::Subscribe { .. } | Step::Wait => true,
        }
    }

    pub(super) fn take(&mut self, step: &Step) {
        match *step {
            Step::Send {
                conversation,
                count,
            } => {
                for _ in 0..count {
                    self.push(Some(conversation));
                }
            }
            Step::Mark => self.push(None),
            Step::Answer { call, status } => self.answer(call, status),
            Step::Cancel { call } => {
                let maybe_happened = self.call(call).was_sent;
                self.resolve(call, Outcome::Cancelled { maybe_happened });
            }
            Step::Subscribe { user } => {
                *self.shown.entry(user).or_default() += 1;
                self.held.insert(user);
                self.hidden_for.remove(&user);
            }
            Step::Unsubscribe { user } => {
                if let Some(count) = self.shown.get_mut(&user) {
                    *count -= 1;
                }
                self.shown.retain(|_, count| *count > 0);
                if self.is_cut {
                    self.drop_lingering();
                }
            }
            Step::Lose => self.lose(),
            Step::Reconnect => self.is_cut = false,
            Step::Pause => self.pause(),
            Step::Expire => {
                self.tokens += 1;
                self.is_proven = false;
                self.wait();
            }
            Step::Wait => self.wait(),
        }
        self.flow();
    }

    pub(super) fn in_flight(&self) -> Vec<usize> {
        let calls = self.calls.iter();
        let in_flight = calls.filter(|call| call.place == Place::InFlight);
        in_flight.map(|call| call.number).collect()
    }

    /// Returns `true` if an expired token is replaced while there is a connection.
    fn can_expire(&self) -> bool {
        self.is_connected && (self.is_proven || self.needs_connection())
    }

    /// Returns `true` if a refused call waits, and no call in flight reaches its time limit.
    fn can_pause(&self) -> bool {
        let mut calls = self.calls.iter();
        let is_young = |call: &Call| call.place != Place::InFlight || call.age + PAUSE < MAX_AGE;
        let waits = calls.clone().any(|call| call.place == Place::Waits);
        self.is_connected && waits && calls.all(is_young)
    }

    /// Returns `true` if a call or subscription needs a connection.
    pub(super) fn needs_connection(&self) -> bool {
        !self.calls.is_empty() || !self.held.is_empty()
    }

    pub(super) fn pending(&self) -> usize {
        self.calls.len()
    }

    fn call(&mut self, number: usize) -> &mut Call {
        let mut calls = self.calls.iter_mut();
        calls
            .find(|call| call.number == number)
            .expect("it is pending")
    }

    fn push(&mut self, conversation: Option<u8>) {
        self.calls.push(Call {
            number: self.next,
            conversation,
            place: Place::Queued,
            was_sent: false,
            was_refused: false,
            failures: 0,
            refusals: 0,
            age: 0,
        });
        self.next += 1;
    }

    fn resolve(&mut self, number: usize, outcome: Outcome) {
        self.calls.retain(|call| call.number != number);
        self.resolved.insert(number, outcome);
    }

    fn answer(&mut self, number: usize, status: u16) {
        self.is_proven |= status == 200;
        let call = self.call(number);
        match status {
            200 => self.resolve(number, Outcome::Done),
            429 | 500 | 503 => {
                call.failures += u32::from(status != 429);
                if call.failures >= MAX_FAILURES {
                    return self.resolve(number, Outcome::Refused(status));
                }
                call.refusals += 1;
                call.place = Place::Waits;
                call.was_refused = true;
                self.refused.insert(number);
            }
            _ => self.resolve(number, Outcome::Refused(status)),
        }
    }

    /// Handles a connection loss. Calls in flight are sent again, and lingering subscriptions end.
    fn lose(&mut self) {
        self.is_connected = false;
        self.is_cut = true;
        for call in &mut self.calls {
            if call.place == Place::InFlight {
                call.place = Place::Queued;
            }
        }
        self.drop_lingering();
    }

    fn drop_lingering(&mut self) {
        let shown = &self.shown;
        self.held.retain(|user| shown.contains_key(user));
        self.hidden_for.clear();
    }

    /// Sends refused calls again, and ends the linger time of some subscriptions.
    fn pause(&mut self) {
        for call in &mut self.calls {
            match call.place {
                Place::Waits => call.place = Place::Queued,
                Place::InFlight => call.age += PAUSE,
                Place::Queued => {}
            }
        }
        let (shown, hidden_for) = (&self.shown, &mut self.hidden_for);
        self.held.retain(|user| {
            let hidden_for = hidden_for.entry(*user).or_default();
            *hidden_for += PAUSE;
            shown.contains_key(user) || *hidden_for <= LINGER
        });
        hidden_for.retain(|user, _| !shown.contains_key(user));
    }

    /// Fails all calls and ends all delays. An unneeded connection is closed.
    fn wait(&mut self) {
        self.is_cut = false;
        // The server answers pings for as long as a call needs the connection.
        self.is_proven |= !self.calls.is_empty();
        for call in std::mem::take(&mut self.calls) {
            self.resolved.insert(call.number, Outcome::Unanswered);
        }
        self.drop_lingering();
        self.is_connected &= self.needs_connection();
        self.is_proven |= self.is_connected;
    }

    /// Sends everything that can be sent.
    fn flow(&mut self) {
        if self.is_cut || !(self.is_connected || self.needs_connection()) {
            return;
        }
        self.is_connected = true;
        self.tokens = self.tokens.max(1);
        self.is_proven |= !self.held.is_empty();
        let mut blocked = BTreeSet::new();
        for call in &mut self.calls {
            let is_blocked = call.conversation.is_some_and(|to| blocked.contains(&to));
            if call.place == Place::Queued && !is_blocked {
                call.place = Place::InFlight;
                call.was_sent = true;
                call.age = 0;
            }
            if call.was_refused {
                blocked.extend(call.conversation);
            }
        }
    }
}
