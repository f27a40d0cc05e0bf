//! The sends of all sessions, and the check of their outcomes.

use std::collections::{BTreeMap, BTreeSet};

use talk_emulator::server::ConnectionId;
use talk_proto::{Reply, RequestError, RequestId, TransportError};

use super::broken::broken;
use super::mail::Address;

/// A send.
struct Sent {
    /// The session that sent it, and its generation.
    from: (usize, u64),
    request: RequestId,
    conversation: &'static str,
    outcome: Option<Result<String, RequestError>>,
    /// Set if a fault delayed the send, so that later sends could overtake it.
    was_delayed: bool,
    /// Set if the server executed the send and answered with an error.
    was_done_unsaid: bool,
    /// The connections on which the send arrived. If there are several, the server can execute the
    /// late first copy after it has refused the second.
    connections: BTreeSet<ConnectionId>,
    /// Set if the server has lost its data since the send.
    is_forgotten: bool,
}

/// A message on the server: its ID, and the number of its send.
pub(super) struct Held {
    pub(super) id: String,
    pub(super) number: u64,
}

/// The sends since the last quiescent point. Every send has a unique number.
#[derive(Default)]
pub(super) struct Sends {
    sent: BTreeMap<u64, Sent>,
    by_request: BTreeMap<((usize, u64), RequestId), u64>,
    deleted: BTreeSet<u64>,
    next: u64,
    /// The last send before the server lost its idempotency keys.
    last_forgotten: u64,
}

impl Sends {
    pub(super) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Returns the first number since the last quiescent point.
    pub(super) fn first(&self) -> Option<u64> {
        self.sent.keys().next().copied()
    }

    pub(super) fn sent(
        &mut self,
        number: u64,
        from: (usize, u64),
        request: RequestId,
        conversation: &'static str,
    ) {
        let sent = Sent {
            from,
            request,
            conversation,
            outcome: None,
            was_delayed: false,
            was_done_unsaid: false,
            connections: BTreeSet::new(),
            is_forgotten: false,
        };
        self.sent.insert(number, sent);
        self.by_request.insert((from, request), number);
    }

    /// Records the outcome of a request. If the request was a send, returns its number and
    /// conversation.
    pub(super) fn resolved(
        &mut self,
        from: (usize, u64),
        request: RequestId,
        result: &Result<Reply, RequestError>,
    ) -> Option<(u64, &'static str)> {
        let number = *self.by_request.get(&(from, request))?;
        let sent = self.sent.get_mut(&number)?;
        sent.outcome = Some(match result {
            Ok(Reply::Sent(id)) => Ok(id.as_str().to_owned()),
            Ok(reply) => broken("a send is answered with an ID", format!("{reply:?}")),
            Err(error) => Err(error.clone()),
        });
        Some((number, sent.conversation))
    }

    /// Records that a send has reached the server.
    pub(super) fn arrived(&mut self, number: u64, connection: ConnectionId) {
        if let Some(sent) = self.sent.get_mut(&number) {
            sent.connections.insert(connection);
        }
    }

    /// Discards the sends of a process that has ended without their outcome.
    pub(super) fn forget_unresolved(&mut self, process: Address) {
        let from = (process.who, process.life);
        self.sent
            .retain(|_, sent| sent.from != from || sent.outcome.is_some());
    }

    pub(super) fn delayed(&mut self, number: u64, was_done: bool) {
        if let Some(sent) = self.sent.get_mut(&number) {
            sent.was_delayed = true;
            sent.was_done_unsaid |= was_done;
        }
    }

    pub(super) fn deleted(&mut self, number: u64) {
        self.deleted.insert(number);
    }

    /// Records that the server has lost its data.
    pub(super) fn forget(&mut self) {
        for sent in self.sent.values_mut() {
            sent.is_forgotten = true;
        }
    }

    /// Records that the server has lost its idempotency keys.
    pub(super) fn forget_keys(&mut self) {
        self.last_forgotten = self.next;
    }

    /// Returns `true` if the server can have executed a send twice.
    fn may_repeat(&self, number: u64) -> bool {
        number <= self.last_forgotten
    }

    /// Compares the sends to `conversation` with the server's messages, oldest first.
    pub(super) fn check(&self, conversation: &str, held: &[Held]) {
        let mut places: BTreeMap<u64, (usize, &str)> = BTreeMap::new();
        for (place, message) in held.iter().enumerate() {
            let before = places.insert(message.number, (place, &message.id));
            if before.is_some() && !self.may_repeat(message.number) {
                let detail = format!("send {} is there twice", message.number);
                broken("a send is there once", detail);
            }
        }
        let mut last: BTreeMap<(usize, u64), (usize, u64)> = BTreeMap::new();
        for (number, sent) in &self.sent {
            if sent.conversation != conversation {
                continue;
            }
            let place = places.get(number);
            self.check_one(*number, sent, place.map(|(_, id)| *id));
            let counts = !sent.was_delayed
                && !sent.is_forgotten
                && !self.may_repeat(*number)
                && matches!(sent.outcome, Some(Ok(_)));
            let Some((place, _)) = place.filter(|_| counts) else {
                continue;
            };
            let before = last.insert(sent.from, (*place, *number));
            if before.is_some_and(|(before, _)| before > *place) {
                let detail = format!("{number} is before {before:?}");
                broken("sends are there in their order", detail);
            }
        }
    }

    fn check_one(&self, number: u64, sent: &Sent, held: Option<&str>) {
        let what = || format!("send {number} ({:?}): {:?}", sent.request, sent.outcome);
        match (&sent.outcome, held) {
            (None, _) => broken("every send is resolved", what()),
            (Some(Ok(id)), Some(held))
                if id != held && !sent.is_forgotten && !self.may_repeat(number) =>
            {
                broken("a send is answered with its ID", what());
            }
            (Some(Ok(_)), None) if !sent.is_forgotten && !self.deleted.contains(&number) => {
                broken("an accepted send is there", what());
            }
            (Some(Err(error)), Some(_))
                if never_happened(error) && !sent.was_done_unsaid && sent.connections.len() < 2 =>
            {
                broken("a send that failed is not there", what());
            }
            _ => {}
        }
    }

    /// Discards all sends.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
        self.by_request.clear();
        self.deleted.clear();
    }
}

/// Returns `true` if the error proves that the send was not executed.
fn never_happened(error: &RequestError) -> bool {
    match error {
        RequestError::Server(_) => true,
        RequestError::Transport(TransportError::Cancelled { maybe_happened, .. }) => {
            !maybe_happened
        }
        _ => false,
    }
}
