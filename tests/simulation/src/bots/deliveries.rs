//! The events of inboxes, and the handlers of their messages.

use std::time::Duration;

use talk_proto::command::SendMessage;
use talk_proto::inbox::{Delivery, DeliveryId, InboxEvent, InboxId};
use talk_proto::model::MessageId;
use talk_proto::outbox::Enqueue;

use super::handlers::Task;
use super::ledger::{Number, Question};
use super::process::Stage;
use crate::broken::broken;
use crate::posts::PostFrame;
use crate::world::World;

/// The longest time between the deletion of a message and its delivery. A message is read at most
/// 10 s before its delivery, but its page may be late.
const LATEST_DELETED: Duration = Duration::from_secs(180);
/// The time for which an ended session waits for its store.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

impl World {
    /// Handles the events of a session at the end of a drain.
    pub(crate) fn note_inbox_events(&mut self, who: usize) {
        let now = self.now;
        for (inbox, event) in std::mem::take(&mut self.clients[who].inbox_events) {
            match event {
                InboxEvent::Opened => {
                    if let Some(bots) = &mut self.bots {
                        bots.ledger.is_begun = true;
                        bots.processes[who].is_inbox_open = true;
                    }
                }
                InboxEvent::Delivered(delivery) => self.note_delivered(who, inbox, &delivery),
                InboxEvent::Acked { delivery } => self.note_acked(who, delivery),
                InboxEvent::Ended { .. } => self.note_inbox_ended(who, inbox),
                _ => {}
            }
        }
        let has_ended = self.clients[who].end.is_some();
        if let Some(process) = self.process(who)
            && has_ended
        {
            process.ends_by.get_or_insert(now + CLOSE_TIMEOUT);
        }
    }

    /// Handles the end of an inbox. If the server has refused a request of the inbox, the process
    /// ends, and is started again.
    fn note_inbox_ended(&mut self, who: usize, inbox: InboxId) {
        let are_dropped = self.rng.bool();
        let Some(process) = self.process(who).filter(|it| it.inbox == Some(inbox)) else {
            return;
        };
        process.inbox = None;
        process.is_inbox_open = false;
        process.handlers.end(are_dropped);
        if process.stage == Stage::Open && self.clients[who].session.ended().is_none() {
            self.shut_down(who);
        }
    }

    /// Ends a process in order.
    pub(super) fn shut_down(&mut self, who: usize) {
        self.clients[who].may_end = true;
        self.execute(who, |session, now| session.shutdown(now));
        self.drain(who);
    }

    /// Checks a frame of a process before it is sent.
    pub(crate) fn check_bot_frame(&self, who: usize, frame: &str) {
        if let Some(bots) = &self.bots
            && let Some(post) = PostFrame::parse(frame)
            && !bots.database.was_tried(&post.key)
        {
            let detail = format!("process {who}: {}", post.key);
            broken("an attempt is stored before it is sent", detail);
        }
    }

    /// Handles a delivery: starts its handler.
    pub(super) fn note_delivered(&mut self, who: usize, inbox: InboxId, delivery: &Delivery) {
        let now = self.now;
        let Some(bots) = &mut self.bots else {
            return;
        };
        let id = delivery.message.id.as_str();
        let Some(number) = bots.ledger.find(id) else {
            broken(
                "a delivery is a message of the people",
                format!("{delivery:?}"),
            );
        };
        let process = &mut bots.processes[who];
        process.handlers.note_delivery(delivery.id, number);
        let (conversation, time) = (
            delivery.conversation.id.as_str(),
            delivery.message.created_at,
        );
        let is_acked = process.acknowledged.contains(&number);
        let is_loaded = process.loaded.cover(conversation, time, id);
        if is_acked || is_loaded {
            let detail = format!("process {who}: question {number}, {id}");
            broken("an acknowledged message is not delivered again", detail);
        }
        let question = &mut bots.ledger.questions[number];
        question.deliveries += 1;
        question.created_at = Some(time);
        let deleted_at = question.deleted_at.unwrap_or(now);
        if now.saturating_since(deleted_at) > LATEST_DELETED {
            let detail = format!("process {who}: question {number}, {id}");
            broken("a message that was deleted is not delivered", detail);
        }
        let task = Task {
            inbox,
            delivery: delivery.id,
            question: number,
            conversation: question.conversation,
        };
        let wants_answer = question.wants_answer;
        let is_busy = bots.processes[who]
            .handlers
            .is_busy(inbox, task.conversation);
        // A message without an answer does not have to wait.
        let waits = wants_answer || self.rng.bool();
        if bots.options.is_sequential && is_busy && waits {
            bots.processes[who].handlers.wait(task);
        } else {
            self.start_task(who, task);
        }
    }

    fn start_task(&mut self, who: usize, task: Task) {
        let is_settling = self.bots.as_ref().is_some_and(|bots| bots.is_settling);
        let quick = 0..300;
        let millis = match self.rng.u8(..20) {
            _ if is_settling => quick,
            0..16 => quick,
            16..19 => 1_000..40_000,
            // A handler that never returns. Its time limit ends it.
            _ => 300_000..300_001,
        };
        let returns_at = self.now + Duration::from_millis(self.rng.u64(millis));
        if let Some(process) = self.process(who) {
            process.handlers.start(task, returns_at);
        }
    }

    /// Handles the return of a handler: acknowledges or answers its message.
    pub(super) fn finish_task(&mut self, who: usize, task: Task) {
        let Some(bots) = &self.bots else {
            return;
        };
        let process = &bots.processes[who];
        let is_current = process.inbox == Some(task.inbox);
        let question = &bots.ledger.questions[task.question];
        let mut is_accepted = false;
        if question.wants_answer {
            let answer = answer_to(task.question, question);
            let is_repeated = self.rng.u8(..8) == 0;
            self.execute(who, |session, now| {
                let entry = session.reply(now, task.delivery, answer.clone());
                is_accepted = entry.is_ok();
                if is_repeated && session.reply(now, task.delivery, answer) != entry {
                    broken("a repeated reply has the same entry", format!("{entry:?}"));
                }
            });
        } else {
            self.execute(who, |session, now| {
                is_accepted = session.ack(now, task.delivery) == Ok(true);
            });
        }
        if is_accepted != is_current {
            let detail = format!("process {who}: question {}", task.question);
            broken(
                "exactly the deliveries that are out are acknowledged",
                detail,
            );
        }
        if let Some(process) = self.process(who).filter(|_| is_accepted) {
            process.acknowledged.insert(task.question);
        }
        self.drain(who);
        let Some(process) = self.process(who).filter(|_| is_current) else {
            return;
        };
        if !process.handlers.is_running(task.inbox, task.conversation)
            && let Some(next) = process.handlers.take_waiting(task.conversation)
        {
            self.start_task(who, next);
        }
    }

    /// Handles an acknowledgement that is stored.
    pub(super) fn note_acked(&mut self, who: usize, delivery: DeliveryId) {
        let Some(bots) = &mut self.bots else {
            return;
        };
        if let Some(number) = bots.processes[who].handlers.take_acked(delivery)
            && !bots.is_acked(&bots.ledger.questions[number])
        {
            let detail = format!("process {who}: question {number}");
            broken("a reported acknowledgement is stored", detail);
        }
    }
}

/// Returns the answer to a question.
fn answer_to(number: Number, question: &Question) -> Enqueue {
    let mut message = SendMessage::text(format!("re {number}"));
    message = message.custom("answers", number.to_string());
    if number.is_multiple_of(2)
        && let Ok(id) = MessageId::new(question.id.as_str())
    {
        message = message.reply_to(id);
    }
    message.into()
}
