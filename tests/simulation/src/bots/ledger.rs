//! The messages of the people, and their treatment by the bot.

use std::collections::BTreeMap;

use talk_proto::Timestamp;

/// The number of a message.
pub(super) type Number = usize;

/// A message of a person.
pub(super) struct Question {
    pub(super) conversation: usize,
    pub(super) id: String,
    pub(super) asker: &'static str,
    /// Set if the bot answers it. Other messages are only acknowledged.
    pub(super) wants_answer: bool,
    /// Set if the bot has to receive it: the inbox was open, the bot was in the conversation and
    /// has stayed there, and the message exists.
    pub(super) is_required: bool,
    pub(super) deleted_at: Option<Timestamp>,
    pub(super) deliveries: u32,
    /// The time of the message, once it was delivered.
    pub(super) created_at: Option<Timestamp>,
}

/// A conversation of the people.
pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) has_bot: bool,
}

/// All messages of the people.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) conversations: Vec<Conversation>,
    pub(super) questions: Vec<Question>,
    by_id: BTreeMap<String, Number>,
    /// Set once an inbox has reported that its start is stored.
    pub(super) is_begun: bool,
}

impl Ledger {
    /// Adds a message, which has the next number.
    pub(super) fn add(
        &mut self,
        conversation: usize,
        id: String,
        asker: &'static str,
        wants_answer: bool,
        from_beginning: bool,
    ) {
        self.by_id.insert(id.clone(), self.questions.len());
        let has_bot = self.conversations[conversation].has_bot;
        self.questions.push(Question {
            conversation,
            id,
            asker,
            wants_answer,
            is_required: has_bot && (from_beginning || self.is_begun),
            deleted_at: None,
            deliveries: 0,
            created_at: None,
        });
    }

    pub(super) fn find(&self, id: &str) -> Option<Number> {
        self.by_id.get(id).copied()
    }

    /// Excuses the bot from the messages of a conversation that it has left.
    pub(super) fn excuse(&mut self, conversation: usize) {
        for question in &mut self.questions {
            question.is_required &= question.conversation != conversation;
        }
    }
}
