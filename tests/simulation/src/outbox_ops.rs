//! Commands of the users to their outboxes.

use fastrand::Rng;
use talk_proto::command::SendMessage;
use talk_proto::model::{ConversationId, EntryId};
use talk_proto::outbox::{Enqueue, Entry, EntryAction, OnRefusal};

use super::broken::broken;
use super::op::Command;
use super::world::World;

/// Texts that are equal often. The server may store some of them with less white space.
const TEXTS: [&str; 5] = [
    "apple",
    "pear",
    "fig  plum",
    "*kiwi*  pie",
    "www.talk.example",
];

/// The numbers of files of a message.
const FILES: [usize; 8] = [0, 0, 0, 0, 0, 0, 1, 2];

/// The numbers of messages that follow an enqueued one at once.
const MORE: [usize; 4] = [0, 0, 1, 3];

impl World {
    /// Executes a command of the outbox in the session `who`.
    pub(super) fn outbox_command(
        &mut self,
        who: usize,
        command: Command,
        conversation: &'static str,
        dice: &mut Rng,
    ) {
        if self.stores.is_none() {
            return;
        }
        let Ok(id) = ConversationId::new(conversation) else {
            broken("IDs are IDs", conversation);
        };
        match command {
            Command::EnqueueReply => {
                if let Some(entry) = self.entry(who, dice) {
                    let to = entry.conversation.clone();
                    self.enqueue(who, &to, Some(entry.id), dice);
                }
            }
            Command::ChangeEntry => {
                if let Some(entry) = self.entry(who, dice) {
                    let action = action(dice);
                    self.change_entry(who, &entry, action);
                }
            }
            Command::RetryAll => {
                let held: Vec<_> = self.clients[who]
                    .session
                    .outbox_entries()
                    .filter(|entry| entry.held().is_some())
                    .cloned()
                    .collect();
                for entry in held {
                    self.note_retry(who, &entry);
                }
                self.execute(who, |session, now| drop(session.retry_all(now)));
            }
            Command::Pause => {
                self.execute(who, |session, now| {
                    drop(session.pause_conversation(now, id));
                });
            }
            Command::Resume => {
                self.execute(who, |session, now| {
                    drop(session.resume_conversation(now, id));
                });
            }
            _ => {
                // Some users enqueue the same text twice.
                let text = dice.get_seed();
                self.enqueue(who, &id, None, dice);
                if dice.u8(..4) == 0 {
                    self.enqueue(who, &id, None, &mut Rng::with_seed(text));
                }
                for _ in 0..MORE[dice.usize(..MORE.len())] {
                    self.enqueue(who, &id, None, dice);
                }
            }
        }
    }

    /// Returns an entry of the outbox.
    fn entry(&self, who: usize, dice: &mut Rng) -> Option<Entry> {
        let entries: Vec<_> = self.clients[who].session.outbox_entries().collect();
        let index = dice.usize(..entries.len().max(1));
        entries.get(index).map(|entry| Entry::clone(entry))
    }

    fn enqueue(
        &mut self,
        who: usize,
        conversation: &ConversationId,
        reply_to: Option<EntryId>,
        dice: &mut Rng,
    ) {
        let text = TEXTS[dice.usize(..TEXTS.len())];
        let mut enqueue = Enqueue::from(SendMessage::text(text));
        let skips = dice.u8(..4) == 0;
        if skips {
            enqueue = enqueue.on_refusal(OnRefusal::Skip);
        }
        if let Some(entry) = reply_to {
            enqueue = enqueue.reply_to_entry(entry);
        }
        let count = FILES[dice.usize(..FILES.len())];
        let Some(stores) = &self.stores else { return };
        let files: Vec<_> = (0..count)
            .map(|place| stores.files.create(place, dice.bool()))
            .collect();
        for file in &files {
            enqueue = enqueue.file(file.clone());
        }
        let mut id = None;
        self.execute(who, |session, now| {
            id = session.enqueue(now, conversation.clone(), enqueue).ok();
        });
        if let (Some(id), Some(stores)) = (id, &mut self.stores) {
            stores.entries[who].enqueued(&id, conversation.as_str(), skips);
            stores.files.enqueued(&id, &files);
        }
    }

    fn change_entry(&mut self, who: usize, entry: &Entry, action: EntryAction) {
        let mut is_done = false;
        let kind = action.clone();
        self.execute(who, |session, now| {
            is_done = session
                .update_entry(now, &entry.id, action)
                .unwrap_or(false);
        });
        let Some(stores) = self.stores.as_mut().filter(|_| is_done) else {
            return;
        };
        let entries = &mut stores.entries[who];
        match kind {
            EntryAction::Retry => entries.note_retry(self.now, entry),
            EntryAction::Discard | EntryAction::Cancel => entries.note_discard(&entry.id),
            EntryAction::EditAfter(_) | EntryAction::DeleteAfter => {
                entries.note_follow_up(&entry.id);
            }
            _ => {}
        }
    }

    fn note_retry(&mut self, who: usize, entry: &Entry) {
        if let Some(stores) = &mut self.stores {
            stores.entries[who].note_retry(self.now, entry);
        }
    }

    /// Retries or discards a held entry.
    pub(super) fn decide(&mut self, who: usize, entry: &Entry, is_retried: bool) {
        let action = if is_retried {
            EntryAction::Retry
        } else {
            EntryAction::Discard
        };
        self.change_entry(who, entry, action);
    }

    /// Ends all pauses.
    pub(super) fn resume_outboxes(&mut self) {
        if self.stores.is_none() {
            return;
        }
        for who in 0..self.clients.len() {
            for conversation in super::world::CONVERSATIONS {
                if let Ok(id) = ConversationId::new(conversation) {
                    self.execute(who, |session, now| {
                        drop(session.resume_conversation(now, id));
                    });
                }
            }
            self.drain(who);
        }
    }
}

fn action(dice: &mut Rng) -> EntryAction {
    let text = TEXTS[dice.usize(..TEXTS.len())];
    match dice.u8(..8) {
        0 | 1 => EntryAction::Retry,
        2 => EntryAction::Discard,
        3 => EntryAction::Cancel,
        4 | 5 => EntryAction::Edit(SendMessage::text(text)),
        6 => EntryAction::EditAfter(text.into()),
        _ => EntryAction::DeleteAfter,
    }
}
