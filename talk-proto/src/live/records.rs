//! What is known of each message, and who quotes whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::Context;
use super::items::Position;
use super::key::Dependent;
use super::messages::MessageStore;
use crate::collections::HashMap;
use crate::model::{Message, MessageId, MessageSnapshot, ReferencedMessageSnapshot, UserId};

/// The messages of a window, and those that they quote.
#[derive(Default)]
pub(super) struct Records {
    records: HashMap<MessageId, Record>,
    /// Those that are quoted and cannot be fetched.
    gone: BTreeSet<MessageId>,
    /// Who quotes a message.
    quoters: BTreeMap<MessageId, Quoters>,
}

/// There are as many as there are messages: it is small.
#[derive(Default)]
struct Record {
    /// `None` for one that is to be fetched, or that is gone.
    message: Option<Arc<Message>>,
    /// The place in the window; `None` for one that is only quoted.
    position: Option<Position>,
}

impl Record {
    fn quoted(&self) -> Option<&MessageId> {
        self.message.as_ref()?.referenced_message_id.as_ref()
    }
}

#[derive(Default)]
struct Quoters {
    /// The message as they show it, once one of them did.
    face: Option<Arc<ReferencedMessageSnapshot>>,
    /// In the window: they show the quote.
    listed: BTreeSet<MessageId>,
    /// Quoted themselves: they show an ID.
    quoted: BTreeSet<MessageId>,
}

impl Records {
    pub(super) fn position(&self, id: &MessageId) -> Option<Position> {
        self.records.get(id)?.position
    }

    pub(super) fn message(&self, id: &MessageId) -> Option<&Arc<Message>> {
        self.records.get(id)?.message.as_ref()
    }

    /// Whether the message is here only because others quote it.
    pub(super) fn is_quote(&self, id: &MessageId) -> bool {
        let record = self.records.get(id);
        record.is_some_and(|record| record.position.is_none())
    }

    pub(super) fn is_missing(&self, id: &MessageId) -> bool {
        let record = self.records.get(id);
        record.is_some_and(|record| record.message.is_none()) && !self.gone.contains(id)
    }

    /// The messages that are here only because others quote them, in the order of their IDs.
    pub(super) fn quotes(&self) -> Vec<MessageId> {
        let quotes = self.records.iter().filter(|(_, r)| r.position.is_none());
        let mut quotes: Vec<_> = quotes.map(|(id, _)| id.clone()).collect();
        quotes.sort_unstable();
        quotes
    }

    /// The message has changed, and is to be shown anew by those who quote it.
    fn forget_face(&mut self, id: &MessageId) {
        if let Some(quoters) = self.quoters.get_mut(id) {
            quoters.face = None;
        }
    }

    fn listed_quoters(&self, id: &MessageId) -> Vec<MessageId> {
        let quoters = self.quoters.get(id);
        quoters.map_or_else(Vec::new, |quoters| quoters.listed.iter().cloned().collect())
    }
}

impl MessageStore {
    /// Puts a message at a place in the window.
    pub(super) fn list(&mut self, position: Position, message: Arc<Message>, cx: &mut Context) {
        let id = message.id.clone();
        let record = self.records.records.entry(id.clone()).or_default();
        let old = record.position.replace(position);
        let quoted = record.quoted().cloned();
        if let Some(old) = old {
            self.listing.remove(old);
        }
        if let Some(quoted) = quoted {
            self.unlink(&id, &quoted, cx);
            self.link(&id, &quoted, cx);
        }
        self.refreshing.remove(&id);
        if !self.learn(message, cx) {
            self.show(&id, cx);
        }
        self.listing.insert_unless_shown(position, id);
    }

    /// Takes a message out of the window; it stays while others quote it.
    pub(super) fn unlist(&mut self, id: &MessageId, cx: &mut Context) {
        let Some(record) = self.records.records.get_mut(id) else {
            return;
        };
        let quoted = record.quoted().cloned();
        if let Some(position) = record.position.take() {
            self.listing.remove(position);
            cx.changed.insert(self.key().clone());
        }
        if let Some(quoted) = &quoted {
            self.unlink(id, quoted, cx);
        }
        let quoters = self.records.quoters.get(id);
        if quoters.is_none_or(|quoters| quoters.listed.is_empty()) {
            self.drop_record(id, cx);
        } else if let Some(quoted) = &quoted {
            self.link(id, quoted, cx);
        }
    }

    /// The message is deleted: nobody quotes it any more.
    pub(super) fn delete(&mut self, id: &MessageId, cx: &mut Context) {
        let quoters = self.records.quoters.remove(id).unwrap_or_default();
        let quoters: Vec<MessageId> = quoters.listed.into_iter().chain(quoters.quoted).collect();
        for quoter in &quoters {
            if let Some(record) = self.records.records.get_mut(quoter)
                && let Some(message) = &mut record.message
            {
                Arc::make_mut(message).referenced_message_id = None;
            }
        }
        self.drop_record(id, cx);
        for quoter in &quoters {
            self.refresh(quoter, cx);
        }
    }

    /// Takes note of what a message is. Whether that is news, and shown.
    pub(super) fn learn(&mut self, message: Arc<Message>, cx: &mut Context) -> bool {
        let id = message.id.clone();
        let Some(record) = self.records.records.get_mut(&id) else {
            return false;
        };
        if record.message.as_ref() == Some(&message) {
            return false;
        }
        let old = record.message.replace(Arc::clone(&message));
        let position = record.position;
        self.records.gone.remove(&id);
        self.records.forget_face(&id);
        let old_sender = old.as_ref().and_then(|old| old.sender_id.as_ref());
        if old_sender != message.sender_id.as_ref() {
            if let Some(sender) = old_sender {
                self.release_sender(sender, &id, cx);
            }
            if let Some(sender) = &message.sender_id
                && self.speakers.add(sender, &id)
            {
                cx.hold_user(sender, self.speaker(sender));
            }
        }
        let old_quoted = old
            .as_ref()
            .and_then(|old| old.referenced_message_id.as_ref());
        if old_quoted != message.referenced_message_id.as_ref() {
            if let Some(quoted) = old_quoted {
                self.unlink(&id, quoted, cx);
            }
            if let Some(quoted) = &message.referenced_message_id {
                self.link(&id, quoted, cx);
            }
        }
        self.show_quoters(&id, cx);
        if let Some(position) = position {
            self.show_at(position, message, cx);
        }
        true
    }

    /// A quoted message cannot be had.
    pub(super) fn set_gone(&mut self, id: &MessageId, cx: &mut Context) {
        let Some(record) = self.records.records.get_mut(id) else {
            return;
        };
        let old = record.message.take();
        self.records.gone.insert(id.clone());
        if let Some(message) = old {
            self.let_go(&message, cx);
        }
        self.refresh(id, cx);
    }

    /// Something that the message shows has changed: it is shown anew, by itself and in quotes.
    pub(super) fn refresh(&mut self, id: &MessageId, cx: &mut Context) {
        self.records.forget_face(id);
        self.show_quoters(id, cx);
        self.show(id, cx);
    }

    fn show_quoters(&mut self, id: &MessageId, cx: &mut Context) {
        for quoter in self.records.listed_quoters(id) {
            self.show(&quoter, cx);
        }
    }

    /// Gives the window the message as it is now, once all that it shows is known.
    fn show(&mut self, id: &MessageId, cx: &mut Context) {
        let Some(Record {
            position: Some(position),
            message: Some(message),
        }) = self.records.records.get(id)
        else {
            return;
        };
        let (position, message) = (*position, Arc::clone(message));
        self.show_at(position, message, cx);
    }

    fn show_at(&mut self, position: Position, message: Arc<Message>, cx: &mut Context) {
        let sender = match &message.sender_id {
            None => None,
            Some(sender) => match cx.user(sender) {
                Some(sender) => sender.cloned(),
                None => return,
            },
        };
        let quote = match &message.referenced_message_id {
            None => None,
            Some(quoted) => match self.quote(quoted, cx) {
                Some(quote) => quote,
                None => return,
            },
        };
        if let Some(shown) = self.listing.shown.get(position)
            && Arc::ptr_eq(shown.message(), &message)
            && is_same(shown.sender(), sender.as_ref())
            && is_same(shown.referenced_message(), quote.as_ref())
        {
            return;
        }
        let snapshot = Arc::new(MessageSnapshot::new(message, sender, quote));
        self.listing.show(position, snapshot);
        cx.changed.insert(self.key().clone());
    }

    /// The message as its quoters show it; the outer `None` = not yet known.
    fn quote(
        &mut self,
        id: &MessageId,
        cx: &Context,
    ) -> Option<Option<Arc<ReferencedMessageSnapshot>>> {
        let Some(message) = self.records.message(id) else {
            return (!self.records.is_missing(id)).then_some(None);
        };
        let quoters = self.records.quoters.get(id);
        if let Some(face) = quoters.and_then(|quoters| quoters.face.as_ref()) {
            return Some(Some(Arc::clone(face)));
        }
        let sender = match &message.sender_id {
            None => None,
            Some(sender) => cx.user(sender)?.cloned(),
        };
        let face = Arc::new(ReferencedMessageSnapshot::new(Arc::clone(message), sender));
        if let Some(quoters) = self.records.quoters.get_mut(id) {
            quoters.face = Some(Arc::clone(&face));
        }
        Some(Some(face))
    }

    /// Takes note that `id` quotes `quoted`, which is fetched when a window shows the quote.
    fn link(&mut self, id: &MessageId, quoted: &MessageId, cx: &mut Context) {
        let quoters = self.records.quoters.entry(quoted.clone()).or_default();
        if self
            .records
            .records
            .get(id)
            .is_none_or(|record| record.position.is_none())
        {
            quoters.quoted.insert(id.clone());
            return;
        }
        quoters.listed.insert(id.clone());
        if !self.records.records.contains_key(quoted) {
            self.records
                .records
                .insert(quoted.clone(), Record::default());
            self.quotes_wanted.push(quoted.clone());
            cx.wanting.add(self.key());
        }
    }

    /// `id` does not quote `quoted` any more, which goes unless something else shows it.
    fn unlink(&mut self, id: &MessageId, quoted: &MessageId, cx: &mut Context) {
        let Some(quoters) = self.records.quoters.get_mut(quoted) else {
            return;
        };
        quoters.listed.remove(id);
        quoters.quoted.remove(id);
        let is_needed = !quoters.listed.is_empty();
        if !is_needed && quoters.quoted.is_empty() {
            self.records.quoters.remove(quoted);
        }
        if !is_needed && self.records.is_quote(quoted) {
            self.drop_record(quoted, cx);
        }
    }

    fn drop_record(&mut self, id: &MessageId, cx: &mut Context) {
        let Some(record) = self.records.records.remove(id) else {
            return;
        };
        if let Some(position) = record.position {
            self.listing.remove(position);
            cx.changed.insert(self.key().clone());
        }
        self.refreshing.remove(id);
        self.records.gone.remove(id);
        if let Some(message) = record.message {
            self.let_go(&message, cx);
        }
    }

    fn release_sender(&mut self, sender: &UserId, id: &MessageId, cx: &mut Context) {
        if self.speakers.remove(sender, id) {
            cx.release_user(sender, &self.speaker(sender));
        }
    }

    fn speaker(&self, sender: &UserId) -> Dependent {
        Dependent::Item(self.key().clone(), sender.clone())
    }

    /// Lets go of what a message shows.
    fn let_go(&mut self, message: &Message, cx: &mut Context) {
        if let Some(sender) = &message.sender_id {
            self.release_sender(sender, &message.id, cx);
        }
        if let Some(quoted) = &message.referenced_message_id {
            self.unlink(&message.id, quoted, cx);
        }
    }
}

/// Whether two optional things are the same allocation.
fn is_same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}
