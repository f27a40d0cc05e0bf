//! What is known of each message, and who quotes whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::messages::MessageStore;
use crate::collections::HashMap;
use crate::live::key::Dependent;
use crate::live::list::items::Position;
use crate::live::store_cx::StoreCx;
use crate::model::{Message, MessageId, MessageSnapshot, ReferencedMessageSnapshot, UserId};

/// The messages of a window, and those that they quote.
///
/// What is known of a message that is shown is in what is shown.
#[derive(Default)]
pub(crate) struct MessageIndex {
    /// The place in the window; `None` for a message that is only quoted.
    positions: HashMap<MessageId, Option<Position>>,
    /// What is known of messages that are only quoted, and what is newer than what is shown.
    unshown: BTreeMap<MessageId, Arc<Message>>,
    /// Those that are quoted and cannot be fetched.
    gone: BTreeSet<MessageId>,
    /// Who quotes a message.
    quoters: BTreeMap<MessageId, QuoteRefs>,
}

#[derive(Default)]
struct QuoteRefs {
    /// The message as they show it, once one of them did.
    face: Option<Arc<ReferencedMessageSnapshot>>,
    /// In the window: they show the quote.
    listed: BTreeSet<MessageId>,
    /// Quoted themselves: they show an ID.
    quoted: BTreeSet<MessageId>,
}

impl MessageIndex {
    pub(crate) fn position(&self, id: &MessageId) -> Option<Position> {
        self.positions.get(id).copied().flatten()
    }

    /// Whether the message is here only because others quote it.
    pub(crate) fn is_quote(&self, id: &MessageId) -> bool {
        matches!(self.positions.get(id), Some(None))
    }

    /// Whether the message is here only because others quote it, and is to be fetched.
    pub(crate) fn is_missing(&self, id: &MessageId) -> bool {
        self.is_quote(id) && !self.unshown.contains_key(id) && !self.gone.contains(id)
    }

    /// The messages that are here only because others quote them, in the order of their IDs.
    pub(crate) fn quotes(&self) -> Vec<MessageId> {
        let quotes = self.positions.iter().filter(|(_, p)| p.is_none());
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
    /// What is known of a message.
    pub(crate) fn message(&self, id: &MessageId) -> Option<&Arc<Message>> {
        self.message_at(id, self.index.position(id))
    }

    fn message_at(&self, id: &MessageId, position: Option<Position>) -> Option<&Arc<Message>> {
        let unshown = self.index.unshown.get(id);
        unshown.or_else(|| Some(self.list.shown.get(position?)?.message()))
    }

    /// Takes a message out of the list, but not out of mind.
    fn take_out(&mut self, id: &MessageId, position: Position) {
        if let Some(message) = self.message_at(id, Some(position)).cloned() {
            self.index.unshown.insert(id.clone(), message);
        }
        self.list.remove(position);
    }

    /// Puts a message at a place in the window.
    pub(crate) fn list(&mut self, position: Position, message: Arc<Message>, cx: &mut StoreCx) {
        let id = message.id.clone();
        let old = self.index.positions.insert(id.clone(), Some(position));
        if let Some(old) = old {
            if let Some(old) = old {
                self.take_out(&id, old);
            }
            let known = self.index.unshown.get(&id);
            if let Some(quoted) = known.and_then(|known| known.referenced_message_id.clone()) {
                self.unlink(&id, &quoted, cx);
                self.link(&id, &quoted, cx);
            }
            self.refreshing.remove(&id);
        }
        if !self.learn(message, cx) {
            self.show(&id, cx);
        }
        self.list.insert_unless_shown(position, id);
    }

    /// Takes a message out of the window; it stays while others quote it.
    pub(crate) fn unlist(&mut self, id: &MessageId, cx: &mut StoreCx) {
        let position = self.index.positions.get_mut(id);
        if let Some(position) = position.and_then(Option::take) {
            self.take_out(id, position);
            cx.changed.insert(self.key().clone());
        }
        let known = self.index.unshown.get(id);
        let quoted = known.and_then(|known| known.referenced_message_id.clone());
        if let Some(quoted) = &quoted {
            self.unlink(id, quoted, cx);
        }
        let quoters = self.index.quoters.get(id);
        if quoters.is_none_or(|quoters| quoters.listed.is_empty()) {
            self.drop_record(id, cx);
        } else if let Some(quoted) = &quoted {
            self.link(id, quoted, cx);
        }
    }

    /// The message is deleted: nobody quotes it any more.
    pub(crate) fn delete(&mut self, id: &MessageId, cx: &mut StoreCx) {
        let quoters = self.index.quoters.remove(id).unwrap_or_default();
        let quoters: Vec<MessageId> = quoters.listed.into_iter().chain(quoters.quoted).collect();
        for quoter in &quoters {
            if let Some(message) = self.message(quoter) {
                let mut message = Message::clone(message);
                message.referenced_message_id = None;
                let message = Arc::new(message);
                self.index.unshown.insert(quoter.clone(), message);
            }
        }
        self.drop_record(id, cx);
        for quoter in &quoters {
            self.refresh(quoter, cx);
        }
    }

    /// Takes note of what a message is. Whether that is news, and shown.
    pub(crate) fn learn(&mut self, message: Arc<Message>, cx: &mut StoreCx) -> bool {
        let id = message.id.clone();
        let position = self.index.position(&id);
        let old = self.message_at(&id, position).cloned();
        if old.as_ref() == Some(&message) {
            return false;
        }
        self.index.gone.remove(&id);
        self.index.forget_face(&id);
        let old_sender = old.as_ref().and_then(|old| old.sender_id.as_ref());
        if old_sender != message.sender_id.as_ref() {
            if let Some(sender) = old_sender {
                self.release_sender(sender, &id, cx);
            }
            if let Some(sender) = &message.sender_id
                && self.senders.add(sender, &id)
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
        let is_shown = position.is_some_and(|position| self.show_at(position, &message, cx));
        if is_shown {
            self.index.unshown.remove(&id);
        } else {
            self.index.unshown.insert(id.clone(), message);
        }
        self.show_quoters(&id, cx);
        true
    }

    /// A message that is only quoted cannot be had.
    pub(crate) fn set_gone(&mut self, id: &MessageId, cx: &mut StoreCx) {
        self.index.gone.insert(id.clone());
        if let Some(message) = self.index.unshown.remove(id) {
            self.let_go(&message, cx);
        }
        self.refresh(id, cx);
    }

    /// Something that the message shows has changed: it is shown anew, by itself and in quotes.
    pub(crate) fn refresh(&mut self, id: &MessageId, cx: &mut StoreCx) {
        self.index.forget_face(id);
        self.show_quoters(id, cx);
        self.show(id, cx);
    }

    fn show_quoters(&mut self, id: &MessageId, cx: &mut StoreCx) {
        for quoter in self.index.listed_quoters(id) {
            self.show(&quoter, cx);
        }
    }

    /// Gives the window the message as it is now, once all that it shows is known.
    fn show(&mut self, id: &MessageId, cx: &mut StoreCx) {
        let Some(position) = self.index.position(id) else {
            return;
        };
        if let Some(message) = self.message_at(id, Some(position)).cloned()
            && self.show_at(position, &message, cx)
        {
            self.index.unshown.remove(id);
        }
    }

    /// The same. Whether all that the message shows is known.
    fn show_at(&mut self, position: Position, message: &Arc<Message>, cx: &mut StoreCx) -> bool {
        let sender = match &message.sender_id {
            None => None,
            Some(sender) => match cx.user(sender) {
                Some(sender) => sender.cloned(),
                None => return false,
            },
        };
        let quote = match &message.referenced_message_id {
            None => None,
            Some(quoted) => match self.quote(quoted, cx) {
                Some(quote) => quote,
                None => return false,
            },
        };
        if let Some(shown) = self.list.shown.get(position)
            && Arc::ptr_eq(shown.message(), message)
            && is_same(shown.sender(), sender.as_ref())
            && is_same(shown.referenced_message(), quote.as_ref())
        {
            return true;
        }
        let snapshot = MessageSnapshot::new(Arc::clone(message), sender, quote);
        self.list.show(position, Arc::new(snapshot));
        cx.changed.insert(self.key().clone());
        true
    }

    /// The message as its quoters show it; the outer `None` = not yet known.
    fn quote(
        &mut self,
        id: &MessageId,
        cx: &StoreCx,
    ) -> Option<Option<Arc<ReferencedMessageSnapshot>>> {
        let Some(message) = self.message(id) else {
            return (!self.index.is_missing(id)).then_some(None);
        };
        let quoters = self.index.quoters.get(id);
        if let Some(face) = quoters.and_then(|quoters| quoters.face.as_ref()) {
            return Some(Some(Arc::clone(face)));
        }
        let sender = match &message.sender_id {
            None => None,
            Some(sender) => cx.user(sender)?.cloned(),
        };
        let face = Arc::new(ReferencedMessageSnapshot::new(Arc::clone(message), sender));
        if let Some(quoters) = self.index.quoters.get_mut(id) {
            quoters.face = Some(Arc::clone(&face));
        }
        Some(Some(face))
    }

    /// Takes note that `id` quotes `quoted`, which is fetched when a window shows the quote.
    fn link(&mut self, id: &MessageId, quoted: &MessageId, cx: &mut StoreCx) {
        let quoters = self.index.quoters.entry(quoted.clone()).or_default();
        if self.index.positions.get(id).is_none_or(Option::is_none) {
            quoters.quoted.insert(id.clone());
            return;
        }
        quoters.listed.insert(id.clone());
        if !self.index.positions.contains_key(quoted) {
            self.index.positions.insert(quoted.clone(), None);
            self.quotes_wanted.push(quoted.clone());
            cx.to_fetch.add(self.key());
        }
    }

    /// `id` does not quote `quoted` any more, which goes unless something else shows it.
    fn unlink(&mut self, id: &MessageId, quoted: &MessageId, cx: &mut StoreCx) {
        let Some(quoters) = self.index.quoters.get_mut(quoted) else {
            return;
        };
        quoters.listed.remove(id);
        quoters.quoted.remove(id);
        let is_needed = !quoters.listed.is_empty();
        if !is_needed && quoters.quoted.is_empty() {
            self.index.quoters.remove(quoted);
        }
        if !is_needed && self.index.is_quote(quoted) {
            self.drop_record(quoted, cx);
        }
    }

    fn drop_record(&mut self, id: &MessageId, cx: &mut StoreCx) {
        let Some(position) = self.index.positions.remove(id) else {
            return;
        };
        let message = self.message_at(id, position).cloned();
        self.index.unshown.remove(id);
        self.index.gone.remove(id);
        self.refreshing.remove(id);
        if let Some(position) = position {
            self.list.remove(position);
            cx.changed.insert(self.key().clone());
        }
        if let Some(message) = message {
            self.let_go(&message, cx);
        }
    }

    fn release_sender(&mut self, sender: &UserId, id: &MessageId, cx: &mut StoreCx) {
        if self.senders.remove(sender, id) {
            cx.release_user(sender, &self.speaker(sender));
        }
    }

    fn speaker(&self, sender: &UserId) -> Dependent {
        Dependent::Item(self.key().clone(), sender.clone())
    }

    /// Lets go of what a message shows.
    fn let_go(&mut self, message: &Message, cx: &mut StoreCx) {
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
