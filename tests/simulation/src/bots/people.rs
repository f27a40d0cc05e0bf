//! The commands of the people.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use talk_proto::inbox::InboxStart;

use super::BOT;
use super::ledger::Conversation;
use super::state::Bots;
use crate::broken::broken;
use crate::probe::{OBSERVER, Probes, conversation_path};
use crate::world::World;

/// The people that ask questions.
const PEOPLE: [&str; 2] = ["alice", "bob"];

/// A command of the people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleCommand {
    /// Asks a question.
    Ask,
    /// Asks many questions in a row.
    AskMany,
    /// Sends a message that needs no answer.
    Remark,
    /// Creates a conversation with the bot.
    Create,
    /// Adds the bot to a conversation.
    Add,
    /// Removes the bot from a conversation.
    Remove,
    /// Deletes one of the last questions.
    Delete,
    /// Sends a message of the bot on another device.
    SendElsewhere,
    /// Marks a conversation as read, or as unread, on another device of the bot.
    MarkElsewhere,
}

impl PeopleCommand {
    /// The commands with their weights.
    pub(super) const WEIGHTS: [(u32, Self); 9] = [
        (30, Self::Ask),
        (4, Self::AskMany),
        (8, Self::Remark),
        (2, Self::Create),
        (5, Self::Add),
        (3, Self::Remove),
        (3, Self::Delete),
        (3, Self::SendElsewhere),
        (3, Self::MarkElsewhere),
    ];
}

impl Bots {
    /// Returns the path of a conversation.
    fn conversation_path(&self, at: usize) -> String {
        conversation_path(&self.ledger.conversations[at].id)
    }
}

impl World {
    /// Creates the users, and the first conversations with the bot.
    pub(crate) fn populate_bots(&mut self) {
        let mut probes = Probes::default();
        for user in PEOPLE.into_iter().chain([BOT, OBSERVER]) {
            let (path, name) = (format!("/users/{user}"), json!({"name": user}));
            self.probe(&mut probes, user, "POST", &path, &name);
        }
        let options = self.bots.as_ref().map(|bots| &bots.options);
        // The others are created later.
        for _ in 0..options.map_or(0, |options| options.conversations / 2) {
            self.create(&mut probes, true);
        }
        self.close_probes(probes);
    }

    /// Executes a command of the people.
    pub(crate) fn command_people(&mut self, command: PeopleCommand, details: u32) {
        self.steps += 1;
        self.trace(0, || format!("* {command:?}"));
        let mut dice = Rng::with_seed(details.into());
        let conversations = match &self.bots {
            Some(bots) => bots.ledger.conversations.len(),
            None => return,
        };
        let mut probes = Probes::default();
        let at = dice.usize(..conversations);
        match command {
            PeopleCommand::Ask => self.ask_bot(&mut probes, at, true, &mut dice),
            PeopleCommand::Remark => self.ask_bot(&mut probes, at, false, &mut dice),
            PeopleCommand::AskMany => {
                let counts = [2..40, 2..40, 2..40, 90..230][dice.usize(..4)].clone();
                let (count, is_spread) = (dice.u32(counts), dice.bool());
                for _ in 0..count {
                    let other = dice.usize(..conversations);
                    let at = if is_spread { other } else { at };
                    let wants_answer = dice.u8(..4) > 0;
                    self.ask_bot(&mut probes, at, wants_answer, &mut dice);
                }
            }
            PeopleCommand::Create => self.create(&mut probes, dice.u8(..4) > 0),
            PeopleCommand::Add => self.set_bot(&mut probes, at, true),
            PeopleCommand::Remove => {
                self.set_bot(&mut probes, at, false);
                if dice.bool() {
                    self.set_bot(&mut probes, at, true);
                }
            }
            PeopleCommand::Delete => self.delete_question(&mut probes, &mut dice),
            PeopleCommand::SendElsewhere => self.send_elsewhere(&mut probes, at, details),
            PeopleCommand::MarkElsewhere => self.mark_elsewhere(&mut probes, at, dice.u8(..4) > 0),
        }
        self.close_probes(probes);
    }

    fn ask_bot(&mut self, probes: &mut Probes, at: usize, wants_answer: bool, dice: &mut Rng) {
        let Some(bots) = &self.bots else {
            return;
        };
        let number = bots.ledger.questions.len();
        let from_beginning = bots.options.inbox.start == InboxStart::Beginning;
        let path = bots.conversation_path(at);
        let asker = PEOPLE[dice.usize(..PEOPLE.len())];
        let content = json!([{"type": "text", "children": [format!("question {number}")]}]);
        let message = json!({"content": content, "idempotencyKey": format!("question {number}")});
        let path = format!("{path}/messages");
        let (_, sent) = self.probe(probes, asker, "POST", &path, &message);
        let Some(id) = sent["id"].as_str() else {
            broken("a question is accepted", sent.to_string());
        };
        if let Some(bots) = &mut self.bots {
            let ledger = &mut bots.ledger;
            ledger.add(at, id.to_owned(), asker, wants_answer, from_beginning);
        }
    }

    fn send_elsewhere(&mut self, probes: &mut Probes, at: usize, details: u32) {
        let path = self.bots.as_ref().map(|bots| bots.conversation_path(at));
        let path = format!("{}/messages", path.unwrap_or_default());
        let content = json!([{"type": "text", "children": ["a message of another device"]}]);
        let key = format!("elsewhere {details}");
        let message = json!({"content": content, "idempotencyKey": key});
        self.probe(probes, BOT, "POST", &path, &message);
    }

    fn mark_elsewhere(&mut self, probes: &mut Probes, at: usize, is_read: bool) {
        let path = self.bots.as_ref().map(|bots| bots.conversation_path(at));
        let path = path.unwrap_or_default();
        let path = format!("/me{path}/{}", if is_read { "read" } else { "unread" });
        self.probe(probes, BOT, "POST", &path, &json!({}));
    }

    fn create(&mut self, probes: &mut Probes, with_bot: bool) {
        let Some(bots) = &mut self.bots else {
            return;
        };
        let known = &mut bots.ledger.conversations;
        let at = known.len();
        if at >= bots.options.conversations {
            return;
        }
        // Some characters are encoded in paths and keys.
        let id = if at == 1 {
            "b/1".to_owned()
        } else {
            format!("b{at}")
        };
        known.push(Conversation { id, has_bot: false });
        let path = bots.conversation_path(at);
        self.probe(probes, OBSERVER, "POST", &path, &json!({}));
        let action = |user: &str| json!({"id": user, "method": "PUT", "params": {}});
        let members = PEOPLE.into_iter().chain([OBSERVER]);
        let actions: Vec<Value> = members.map(action).collect();
        let path = format!("{path}/participants");
        self.probe(
            probes,
            OBSERVER,
            "POST",
            &path,
            &json!({"actions": actions}),
        );
        if with_bot {
            self.set_bot(probes, at, true);
        }
    }

    /// Adds the bot to a conversation, or removes it.
    fn set_bot(&mut self, probes: &mut Probes, at: usize, is_added: bool) {
        let Some(bots) = &mut self.bots else {
            return;
        };
        let conversation = &mut bots.ledger.conversations[at];
        if std::mem::replace(&mut conversation.has_bot, is_added) == is_added {
            return;
        }
        let path = conversation_path(&conversation.id);
        if is_added {
            let actions = json!({"actions": [{"id": BOT, "method": "POST", "params": {}}]});
            let path = format!("{path}/participants");
            self.probe(probes, OBSERVER, "POST", &path, &actions);
        } else {
            bots.ledger.excuse(at);
            let path = format!("{path}/participants/{BOT}");
            self.probe(probes, OBSERVER, "DELETE", &path, &json!({}));
        }
    }

    fn delete_question(&mut self, probes: &mut Probes, dice: &mut Rng) {
        let now = self.now;
        let Some(bots) = &mut self.bots else {
            return;
        };
        let ledger = &mut bots.ledger;
        let last = ledger.questions.len().min(10);
        if last == 0 {
            return;
        }
        let at = ledger.questions.len() - 1 - dice.usize(..last);
        let question = &mut ledger.questions[at];
        if question.deleted_at.replace(now).is_some() {
            return;
        }
        question.is_required = false;
        let (at, id, asker) = (question.conversation, question.id.clone(), question.asker);
        let path = format!("{}/messages/{id}", bots.conversation_path(at));
        self.probe(probes, asker, "DELETE", &path, &json!({}));
    }
}
