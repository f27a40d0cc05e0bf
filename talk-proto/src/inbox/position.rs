//! Positions in the messages of a conversation.

use std::time::Duration;

use crate::model::{MessageId, MessageSnapshot};
use crate::timestamp::Timestamp;

/// The smallest difference of two timestamps.
const TICK: Duration = Duration::from_millis(1);
/// The number of messages at one time that a position can distinguish. Further messages of that
/// time count as passed.
const MAX_SEEN: usize = 1_000;

/// A position between two messages. It depends only on times and IDs of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// All messages before this time are passed.
    pub(super) from: Timestamp,
    /// The passed messages of this time.
    pub(super) seen: Vec<MessageId>,
}

impl Position {
    /// Returns the position before all messages of a time.
    pub(super) fn before(from: Timestamp) -> Self {
        Self {
            from,
            seen: Vec::new(),
        }
    }

    /// Returns the position after all messages of a time.
    pub(super) fn after(time: Timestamp) -> Self {
        Self::before(time + TICK)
    }

    /// Returns `true` if the message is passed.
    pub(super) fn covers(&self, message: &MessageSnapshot) -> bool {
        let time = message.created_at;
        time < self.from || time == self.from && self.seen.contains(&message.id)
    }

    /// Returns `true` if a message of this time may not be passed.
    pub(super) fn may_precede(&self, time: Timestamp) -> bool {
        time >= self.from
    }

    /// Passes a message.
    pub(super) fn pass(&mut self, time: Timestamp, id: &MessageId) {
        if time < self.from {
            return;
        }
        if time > self.from {
            *self = Self::before(time);
        }
        self.seen.push(id.clone());
        if self.seen.len() > MAX_SEEN {
            *self = Self::after(time);
        }
    }

    /// Passes all messages before a time.
    pub(super) fn raise(&mut self, from: Timestamp) {
        if from > self.from {
            *self = Self::before(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, time: i64) -> MessageSnapshot {
        let time = Timestamp::from_millis(time);
        MessageSnapshot::new(id.try_into().unwrap(), None, time, Vec::new())
    }

    fn pass(position: &mut Position, message: &MessageSnapshot) {
        position.pass(message.created_at, &message.id);
    }

    #[test]
    fn position_equal_times_are_passed_one_by_one() {
        let mut position = Position::before(Timestamp::from_millis(5));
        let (a, b, old) = (message("a", 7), message("b", 7), message("c", 6));
        assert!(!position.covers(&a) && !position.covers(&old));
        pass(&mut position, &a);
        assert!(position.covers(&a) && position.covers(&old) && !position.covers(&b));
        pass(&mut position, &old);
        assert!(!position.covers(&b), "an older message moves nothing");
        pass(&mut position, &b);
        assert!(position.covers(&a) && position.covers(&b));
        assert!(!position.covers(&message("d", 8)));
    }

    #[test]
    fn position_many_equal_times_stay_bounded() {
        let mut position = Position::before(Timestamp::default());
        for number in 0..=MAX_SEEN {
            pass(&mut position, &message(&format!("m{number}"), 7));
        }
        assert_eq!(position, Position::after(Timestamp::from_millis(7)));
    }
}
