//! Quiescent points: everything settles, and every question is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::BOT;
use super::ledger::{Number, Question};
use super::process::Stage;
use super::state::Bots;
use crate::broken::broken;
use crate::probe::{OBSERVER, Probes, conversation_path};
use crate::wire::Wire;
use crate::world::World;

/// Everything must be settled within this time.
const SETTLED_WITHIN: Duration = Duration::from_secs(1_200);

impl World {
    /// Ends all faults, waits until everything is settled, and checks the answers.
    pub(crate) fn quiesce_bots(&mut self) {
        self.finish_tick();
        self.heal();
        self.heal_bots();
        self.set_settling(true);
        let end = self.now + SETTLED_WITHIN;
        while !self.are_bots_settled() {
            if !self.step(end) {
                broken("everything settles", self.unsettled());
            }
        }
        self.set_settling(false);
        self.check_answers();
        for client in &mut self.clients {
            if client.session.counters().missed_inbox_events > 0 {
                broken("events name all conversations with news", client.user);
            }
            client.may_lose_subscriptions = false;
            client.may_end = false;
            client.auth_failures = 0;
        }
    }

    fn set_settling(&mut self, is_settling: bool) {
        if let Some(bots) = &mut self.bots {
            bots.is_settling = is_settling;
        }
    }

    fn are_bots_settled(&self) -> bool {
        let Some(bots) = &self.bots else {
            return true;
        };
        let on_its_way = |wire: &Wire| !(wire.up.is_empty() && wire.down.is_empty());
        let is_handled = |question: &Question| !question.is_required || bots.is_acked(question);
        let mut active = bots.processes.iter().filter(|it| it.is_inbox_open);
        let is_idle = bots.processes.iter().all(|process| {
            process.is_store_idle() && process.handlers.is_idle() && process.ends_by.is_none()
        });
        let mut entries = self
            .clients
            .iter()
            .flat_map(|it| it.session.outbox_entries());
        active.next().is_some()
            && active.next().is_none()
            && is_idle
            && entries.all(|entry| entry.held().is_some())
            && bots.ledger.questions.iter().all(is_handled)
            && !self.wires.values().any(on_its_way)
    }

    /// Describes the unfinished work.
    fn unsettled(&self) -> String {
        let Some(bots) = &self.bots else {
            return String::new();
        };
        let mut lines = Vec::new();
        for (number, question) in bots.ledger.questions.iter().enumerate() {
            if question.is_required && !bots.is_acked(question) {
                let deliveries = question.deliveries;
                lines.push(format!(
                    "question {number}: {}, {deliveries} deliveries",
                    question.id
                ));
            }
        }
        for (process, client) in bots.processes.iter().zip(&self.clients) {
            let is_open = process.stage == Stage::Open;
            let entries: Vec<_> = client.session.outbox_entries().collect();
            lines.push(format!(
                "open: {is_open}, {entries:?}, {:?}",
                client.session
            ));
        }
        lines.join("\n")
    }

    /// Checks the answers in all conversations.
    fn check_answers(&mut self) {
        let Some(bots) = &self.bots else {
            return;
        };
        let conversations = bots.ledger.conversations.iter().map(|it| it.id.clone());
        let conversations: Vec<String> = conversations.collect();
        let mut probes = Probes::default();
        let mut answers = Vec::new();
        for conversation in &conversations {
            answers.push(self.answers_in(&mut probes, conversation));
        }
        self.close_probes(probes);
        let Some(bots) = &self.bots else {
            return;
        };
        let mut counts: BTreeMap<Number, u32> = BTreeMap::new();
        for (at, answers) in answers.iter().enumerate() {
            for number in answers {
                *counts.entry(*number).or_default() += 1;
                let question = bots.ledger.questions.get(*number);
                if question.is_none_or(|it| it.conversation != at || !it.wants_answer) {
                    broken("an answer belongs to a question", number.to_string());
                }
            }
            // A late statement can undo the record of a refusal, so that the answer is sent later.
            let may_be_late = |number: &Number| {
                let question = bots.ledger.questions.get(*number);
                bots.options.has_late_statements && question.is_some_and(|it| !it.is_required)
            };
            let in_order = answers.iter().filter(|number| !may_be_late(number));
            if bots.options.is_sequential && !in_order.is_sorted() {
                broken(
                    "answers are in the order of their questions",
                    format!("{answers:?}"),
                );
            }
        }
        for (number, question) in bots.ledger.questions.iter().enumerate() {
            let count = counts.get(&number).copied().unwrap_or(0);
            if count > 1 {
                broken("a question is answered once", number.to_string());
            }
            if question.is_required && question.deliveries == 0 {
                broken("a message is delivered", number.to_string());
            }
            if question.is_required && question.wants_answer && count == 0 {
                broken("a question is answered", number.to_string());
            }
        }
    }

    /// Returns the numbers of the questions that the bot has answered in a conversation, in the
    /// order of the answers.
    fn answers_in(&mut self, probes: &mut Probes, conversation: &str) -> Vec<Number> {
        let path = conversation_path(conversation);
        let path = format!("/me{path}/messages");
        let (mut answers, mut data) = (Vec::new(), json!({"limit": 100}));
        loop {
            let (status, page) = self.probe(probes, OBSERVER, "GET", &path, &data);
            if status != 200 {
                broken("the observer reads all messages", page.to_string());
            }
            let messages = page["data"].as_array().cloned().unwrap_or_default();
            let own = messages.iter().filter(|message| message["senderId"] == BOT);
            // The messages of another device have no number.
            let own = own.filter(|message| !message["custom"]["answers"].is_null());
            answers.extend(own.map(|message| -> Number {
                let number = message["custom"]["answers"].as_str();
                let number = number.and_then(|number| number.parse().ok());
                number.unwrap_or_else(|| broken("an answer has a number", message.to_string()))
            }));
            if page["cursor"].is_null() {
                answers.reverse();
                return answers;
            }
            data = json!({"limit": 100, "cursor": page["cursor"]});
        }
    }
}

impl Bots {
    /// Returns `true` if the database has the acknowledgement of a message.
    pub(super) fn is_acked(&self, question: &Question) -> bool {
        let conversation = &self.ledger.conversations[question.conversation].id;
        let positions = self.database.positions();
        let time = question.created_at;
        time.is_some_and(|time| positions.cover(conversation, time, &question.id))
    }
}
