//! The known messages of a [`MessageStore`], and the quotes between them.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::messages::MessageStore;
use super::sender_index::SenderIndex;
use crate::changes::RemovalReason;
use crate::collections::HashMap;
use crate::live::key::Dependent;
use crate::live::list::items::Position;
use crate::live::store_cx::StoreCx;
use crate::model::{MessageId, MessageSnapshot, UserId};

/// The messages of a window, and the messages that they quote.
///
/// Visible messages are stored in their snapshot and not duplicated here.
#[derive(Default)]
pub(crate) struct MessageIndex {
    /// The positions of messages in the window; `None` for a message that is only quoted.
    positions: HashMap<MessageId, Option<Position>>,
    /// Messages that are only quoted, and versions that are newer than the visible one.
    invisible: BTreeMap<MessageId, Arc<MessageSnapshot>>,
    /// Quoted messages that cannot be fetched.
    unavailable: BTreeSet<MessageId>,
    /// The quotes of each quoted message.
    quotes: BTreeMap<MessageId, QuoteRefs>,
    pub(crate) senders: SenderIndex,
}

/// The messages that quote a message.
#[derive(Default)]
struct QuoteRefs {
    /// The quoted message in the form that the quoting ones show.
    snapshot: Option<Arc<MessageSnapshot>>,
    /// Quoting messages in the window. They show the quote.
    listed: BTreeSet<MessageId>,
    /// Quoting messages that are only quoted themselves. They show the quote as an ID.
    unlisted: BTreeSet<MessageId>,
}

impl MessageIndex {
    /// Returns the index of at most one message, which is visible and quotes none.
    pub(crate) fn of(message: Option<(Position, &Arc<MessageSnapshot>)>) -> Self {
        let mut index = Self::default();
        if let Some((position, message)) = message {
            index.positions.insert(message.id.clone(), Some(position));
            if let Some(sender) = &message.sender_id {
                index.senders.add(sender, &message.id);
            }
        }
        index
    }

    /// Returns `true` if no message is quoted or invisible.
    pub(crate) fn is_plain(&self) -> bool {
        self.quotes.is_empty() && self.invisible.is_empty() && self.unavailable.is_empty()
    }

    pub(crate) fn position(&self, id: &MessageId) -> Option<Position> {
        self.positions.get(id).copied().flatten()
    }

    /// Returns `true` if the message is outside the window and a message in the window quotes it.
    pub(crate) fn is_quote(&self, id: &MessageId) -> bool {
        matches!(self.positions.get(id), Some(None))
    }

    /// Returns `true` if the message is only quoted and must be fetched.
    pub(crate) fn is_missing(&self, id: &MessageId) -> bool {
        self.is_quote(id) && !self.invisible.contains_key(id) && !self.unavailable.contains(id)
    }

    /// Returns the messages that are only quoted, ordered by ID.
    pub(crate) fn quotes(&self) -> Vec<MessageId> {
        let quotes = self.positions.iter().filter(|(_, p)| p.is_none());
        let mut quotes: Vec<_> = quotes.map(|(id, _)| id.clone()).collect();
        quotes.sort_unstable();
        quotes
    }

    /// Returns the positions of the messages in the window that quote a message.
    pub(crate) fn quoting_positions(&self, id: &MessageId) -> impl Iterator<Item = Position> {
        let listed = self.quotes.get(id).map(|refs| &refs.listed);
        listed
            .into_iter()
            .flatten()
            .filter_map(|id| self.position(id))
    }

    /// Discards the quote snapshot of a message that has changed.
    fn discard_quote(&mut self, id: &MessageId) {
        if let Some(refs) = self.quotes.get_mut(id) {
            refs.snapshot = None;
        }
    }
}

impl MessageStore {
    /// Returns the newest known version of a message.
    pub(crate) fn message(&self, id: &MessageId) -> Option<&Arc<MessageSnapshot>> {
        self.message_at(id, self.index.position(id))
    }

    fn message_at(
        &self,
        id: &MessageId,
        position: Option<Position>,
    ) -> Option<&Arc<MessageSnapshot>> {
        let invisible = self.index.invisible.get(id);
        invisible.or_else(|| self.paged.items.visible.get(position?))
    }

    /// Keeps a message, which is removed from the list, in the index.
    fn keep(&mut self, id: &MessageId, position: Position) {
        if let Some(message) = self.message_at(id, Some(position)).cloned() {
            let message = Arc::new(message.resolved(None, None));
            self.index.invisible.insert(id.clone(), message);
        }
    }

    /// Inserts a message at a position, or moves it there.
    pub(crate) fn insert(
        &mut self,
        position: Position,
        message: Arc<MessageSnapshot>,
        cx: &mut StoreCx,
    ) {
        let id = message.id.clone();
        let old = self.index.positions.insert(id, Some(position));
        self.insert_at(position, old, message, cx);
    }

    /// Inserts a message at a position. Returns `false` if the window contains the message.
    pub(crate) fn insert_new(
        &mut self,
        position: Position,
        message: Arc<MessageSnapshot>,
        cx: &mut StoreCx,
    ) -> bool {
        let old = match self.index.positions.entry(message.id.clone()) {
            Entry::Occupied(known) if known.get().is_some() => return false,
            Entry::Occupied(mut quoted) => Some(quoted.insert(Some(position))),
            Entry::Vacant(unknown) => {
                unknown.insert(Some(position));
                None
            }
        };
        self.insert_at(position, old, message, cx);
        true
    }

    /// Inserts a message at a position that is in the index. `old` is the previous position;
    /// `None` if the message was unknown, and `Some(None)` if it was only quoted.
    fn insert_at(
        &mut self,
        position: Position,
        old: Option<Option<Position>>,
        message: Arc<MessageSnapshot>,
        cx: &mut StoreCx,
    ) {
        let id = message.id.clone();
        let mut known = None;
        if let Some(old) = old {
            if let Some(old) = old {
                self.keep(&id, old);
                self.paged.items.take_out(old);
            }
            let invisible = self.index.invisible.get(&id);
            if let Some(quoted) = invisible.and_then(|it| it.referenced_message_id.clone()) {
                self.unlink(&id, &quoted, cx);
                self.link(&id, &quoted, cx);
            }
            self.refreshing.remove(&id);
            known = self.message_at(&id, Some(position)).cloned();
        }
        if !self.set_message_at(Some(position), known, message, cx) {
            self.show(&id, cx);
        }
        let is_held_back = cx.echoes.is_on() && cx.echoes.is_held_back(&self.conversation, &id);
        self.paged.items.insert(position, id);
        if is_held_back {
            self.paged.items.hide(position);
        }
    }

    /// Shows a message that was held back, unless it may still be the message of an entry.
    pub(crate) fn reveal(&mut self, id: &MessageId, cx: &mut StoreCx) {
        if let Some(position) = self.index.position(id) {
            self.paged.items.insert(position, id.clone());
            self.show(id, cx);
            if cx.echoes.is_held_back(&self.conversation, id) {
                self.paged.items.hide(position);
            }
            cx.changed.insert(self.key().clone());
        }
    }

    /// Returns `true` if the message will become visible in a window that does not show it.
    pub(crate) fn is_awaited(&self, id: &MessageId) -> bool {
        let position = self.index.position(id);
        self.paged
            .items
            .views
            .values()
            .any(|view| view.awaits(position))
    }

    /// Removes a message from the window. It stays in the index as long as other messages quote it.
    pub(crate) fn remove_listed(
        &mut self,
        id: &MessageId,
        reason: RemovalReason,
        cx: &mut StoreCx,
    ) {
        let position = self.index.positions.get_mut(id);
        if let Some(position) = position.and_then(Option::take) {
            self.keep(id, position);
            self.paged.items.remove(position, reason);
            cx.changed.insert(self.key().clone());
        }
        let known = self.index.invisible.get(id);
        let quoted = known.and_then(|known| known.referenced_message_id.clone());
        if let Some(quoted) = &quoted {
            self.unlink(id, quoted, cx);
        }
        let refs = self.index.quotes.get(id);
        if refs.is_none_or(|refs| refs.listed.is_empty()) {
            self.drop_message(id, cx);
        } else if let Some(quoted) = &quoted {
            self.link(id, quoted, cx);
        }
    }

    /// Deletes a message and its quotes.
    pub(crate) fn delete(&mut self, id: &MessageId, cx: &mut StoreCx) {
        cx.echoes.note_deleted(&self.conversation, id);
        let refs = self.index.quotes.remove(id).unwrap_or_default();
        let quoting: Vec<MessageId> = refs.listed.into_iter().chain(refs.unlisted).collect();
        for other in &quoting {
            if let Some(message) = self.message(other) {
                let mut message = MessageSnapshot::clone(message);
                message.referenced_message_id = None;
                let message = Arc::new(message);
                self.index.invisible.insert(other.clone(), message);
            }
        }
        self.drop_message(id, cx);
        for other in &quoting {
            self.refresh(other, cx);
        }
    }

    /// Stores the newest version of a message. Returns `true` if it differs from the known version.
    pub(crate) fn set_message(&mut self, message: Arc<MessageSnapshot>, cx: &mut StoreCx) -> bool {
        let position = self.index.position(&message.id);
        let old = self.message_at(&message.id, position).cloned();
        self.set_message_at(position, old, message, cx)
    }

    /// Stores the newest version of the message at a position, or of one that is only quoted.
    /// Returns `true` if it differs from the known version `old`.
    fn set_message_at(
        &mut self,
        position: Option<Position>,
        old: Option<Arc<MessageSnapshot>>,
        mut message: Arc<MessageSnapshot>,
        cx: &mut StoreCx,
    ) -> bool {
        let id = message.id.clone();
        if old
            .as_ref()
            .is_some_and(|old| old.is_same_version(&message))
        {
            return false;
        }
        self.index.unavailable.remove(&id);
        self.index.discard_quote(&id);
        let old_sender = old.as_ref().and_then(|old| old.sender_id.as_ref());
        if old_sender != message.sender_id.as_ref() {
            if let Some(sender) = old_sender {
                self.release_sender(sender, &id, cx);
            }
            if let Some(sender) = message.sender_id.clone() {
                let known = match self.index.senders.add(&sender, &id) {
                    None => {
                        cx.retain_user(&sender, self.dependent());
                        cx.users.interned(&sender)
                    }
                    known => known,
                };
                // Messages share the allocation.
                if let Some(known) = known
                    && let Some(unshared) = Arc::get_mut(&mut message)
                {
                    unshared.sender_id = Some(known);
                }
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
        let invisible = match position {
            Some(position) => self.show_at(position, message, cx),
            None => Some(message),
        };
        match invisible {
            None => self.index.invisible.remove(&id),
            Some(message) => self.index.invisible.insert(id.clone(), message),
        };
        self.show_quotes(&id, cx);
        true
    }

    /// Marks a quoted message as unavailable.
    pub(crate) fn set_unavailable(&mut self, id: &MessageId, cx: &mut StoreCx) {
        self.index.unavailable.insert(id.clone());
        if let Some(message) = self.index.invisible.remove(id) {
            self.release_nested(&message, cx);
        }
        self.refresh(id, cx);
    }

    /// Updates a message and its quotes after a change of nested data.
    pub(crate) fn refresh(&mut self, id: &MessageId, cx: &mut StoreCx) {
        self.index.discard_quote(id);
        self.show_quotes(id, cx);
        self.show(id, cx);
    }

    fn show_quotes(&mut self, id: &MessageId, cx: &mut StoreCx) {
        let refs = self.index.quotes.get(id);
        let listed = refs.map_or_else(Vec::new, |refs| refs.listed.iter().cloned().collect());
        for other in listed {
            self.show(&other, cx);
        }
    }

    /// Shows the newest version of a message in the window once its nested data is known.
    fn show(&mut self, id: &MessageId, cx: &mut StoreCx) {
        let Some(position) = self.index.position(id) else {
            return;
        };
        if let Some(message) = self.message_at(id, Some(position)).cloned()
            && self.show_at(position, message, cx).is_none()
        {
            self.index.invisible.remove(id);
        }
    }

    /// Shows a message, and copies it only if it is shared. Returns the message if nested data is
    /// missing.
    fn show_at(
        &mut self,
        position: Position,
        mut message: Arc<MessageSnapshot>,
        cx: &mut StoreCx,
    ) -> Option<Arc<MessageSnapshot>> {
        if cx.echoes.is_on()
            && self.paged.items.visible.get(position).is_none()
            && cx
                .echoes
                .hold_back(&self.conversation, &message, &cx.me, cx.now)
        {
            return Some(message);
        }
        let sender = match &message.sender_id {
            None => None,
            Some(sender) => match cx.user(sender) {
                Some(sender) => sender.cloned(),
                None => return Some(message),
            },
        };
        let quote = match &message.referenced_message_id {
            None => None,
            Some(quoted) => match self.quote(quoted, cx) {
                Some(quote) => quote,
                None => return Some(message),
            },
        };
        if let Some(visible) = self.paged.items.visible.get(position)
            && Arc::ptr_eq(visible, &message)
            && is_same(visible.sender.as_ref(), sender.as_ref())
            && is_same(visible.referenced_message.as_ref(), quote.as_ref())
        {
            return None;
        }
        if let Some(unshared) = Arc::get_mut(&mut message) {
            unshared.sender = sender;
            unshared.referenced_message = quote;
        } else {
            message = Arc::new(message.resolved(sender, quote));
        }
        if let Some(cached) = cx.cached.as_ref().and_then(|it| it.message(&message)) {
            message = cached;
        }
        self.paged.items.show(position, message);
        cx.changed.insert(self.key().clone());
        None
    }

    /// Returns the snapshot of a quoted message, `Some(None)` if it is unavailable, or `None` if
    /// it is not known yet.
    fn quote(&mut self, id: &MessageId, cx: &StoreCx) -> Option<Option<Arc<MessageSnapshot>>> {
        let Some(message) = self.message(id) else {
            return (!self.index.is_missing(id)).then_some(None);
        };
        let refs = self.index.quotes.get(id);
        if let Some(snapshot) = refs.and_then(|refs| refs.snapshot.as_ref()) {
            return Some(Some(Arc::clone(snapshot)));
        }
        let sender = match &message.sender_id {
            None => None,
            Some(sender) => cx.user(sender)?.cloned(),
        };
        let snapshot = Arc::new(message.resolved(sender, None));
        if let Some(refs) = self.index.quotes.get_mut(id) {
            refs.snapshot = Some(Arc::clone(&snapshot));
        }
        Some(Some(snapshot))
    }

    /// Records that `id` quotes `quoted`, and fetches the quote if the window shows it.
    fn link(&mut self, id: &MessageId, quoted: &MessageId, cx: &mut StoreCx) {
        let refs = self.index.quotes.entry(quoted.clone()).or_default();
        if self.index.positions.get(id).is_none_or(Option::is_none) {
            refs.unlisted.insert(id.clone());
            return;
        }
        refs.listed.insert(id.clone());
        if !self.index.positions.contains_key(quoted) {
            self.index.positions.insert(quoted.clone(), None);
            self.quotes_to_fetch.push(quoted.clone());
            cx.to_fetch.add(self.key());
        }
    }

    /// Records that `id` no longer quotes `quoted`. Drops the quoted message if no other message
    /// quotes it.
    fn unlink(&mut self, id: &MessageId, quoted: &MessageId, cx: &mut StoreCx) {
        let Some(refs) = self.index.quotes.get_mut(quoted) else {
            return;
        };
        refs.listed.remove(id);
        refs.unlisted.remove(id);
        let is_needed = !refs.listed.is_empty();
        if !is_needed && refs.unlisted.is_empty() {
            self.index.quotes.remove(quoted);
        }
        if !is_needed && self.index.is_quote(quoted) {
            self.drop_message(quoted, cx);
        }
    }

    fn drop_message(&mut self, id: &MessageId, cx: &mut StoreCx) {
        let Some(position) = self.index.positions.remove(id) else {
            return;
        };
        let message = self.message_at(id, position).cloned();
        self.index.invisible.remove(id);
        self.index.unavailable.remove(id);
        self.refreshing.remove(id);
        if let Some(position) = position {
            self.paged.items.remove(position, RemovalReason::Deleted);
            cx.changed.insert(self.key().clone());
        }
        if let Some(message) = message {
            self.release_nested(&message, cx);
        }
    }

    fn release_sender(&mut self, sender: &UserId, id: &MessageId, cx: &mut StoreCx) {
        if self.index.senders.remove(sender, id) {
            cx.release_user(sender, &self.dependent());
        }
    }

    fn dependent(&self) -> Dependent {
        Dependent::Store(self.key().clone())
    }

    /// Releases the sender and the quote of a message.
    fn release_nested(&mut self, message: &MessageSnapshot, cx: &mut StoreCx) {
        if let Some(sender) = &message.sender_id {
            self.release_sender(sender, &message.id, cx);
        }
        if let Some(quoted) = &message.referenced_message_id {
            self.unlink(&message.id, quoted, cx);
        }
    }
}

/// Returns `true` if both are absent or the same allocation.
fn is_same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}
