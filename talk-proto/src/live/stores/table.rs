//! The table of all stores of a session.

use std::any::Any;
use std::collections::BTreeSet;

use super::conversation::ConversationStore;
use super::conversation_list::{ConversationList, concerns_lists};
use super::entity::EntityStore;
use super::list_filter::ListFilter;
use super::messages::MessageStore;
use super::packed::PackedConversation;
use super::store::Store;
use super::user_list::UserList;
use crate::collections::HashMap;
use crate::live::key::{Scope, StoreKey, ViewerId};
use crate::live::kinds::online::Presence;
use crate::live::kinds::participants::ParticipantOf;
use crate::live::kinds::typing::TypingUsers;
use crate::live::store_cx::{ListAction, StoreCx};
use crate::live::sync::rest_queue::RestQueue;
use crate::model::{ConversationId, Participant, Reaction};
use crate::timestamp::Timestamp;
use crate::wire::ServerEvent;

/// All stores except those of users. Other stores reference users directly.
#[derive(Default)]
pub(crate) struct Stores {
    pub(super) stores: HashMap<StoreKey, Slot>,
    /// The keys of stores of which a scope may have several: participants and reactions of a
    /// conversation, and lists of conversations.
    groups: HashMap<Scope, BTreeSet<StoreKey>>,
    /// Conversations of which both stores, the one of the conversation and the one of its messages,
    /// are here and not in `stores`.
    pub(super) packed: HashMap<ConversationId, Box<PackedConversation>>,
    /// Conversations that are packed at the end of the drain, if that is then possible.
    pub(super) to_pack: Vec<ConversationId>,
    next_serial: u64,
    /// Set in tests that compare with stores that are never packed.
    #[cfg(test)]
    pub(crate) stay_open: bool,
}

pub(super) struct Slot {
    /// The order of creation, in which stores are subscribed again.
    pub(super) serial: u64,
    pub(super) store: Box<dyn Store>,
}

impl Stores {
    pub(crate) fn is_empty(&self) -> bool {
        self.stores.is_empty() && self.packed.is_empty()
    }

    /// Returns the keys of all stores in the order of creation.
    pub(crate) fn in_order(&self) -> Vec<StoreKey> {
        let stores = self.stores.iter();
        let open = stores.map(|(key, slot)| (slot.serial, key.clone()));
        let packed = self.packed.iter().flat_map(|(c, packed)| {
            let conversation = (packed.serial, StoreKey::Conversation(c.clone()));
            let messages = (packed.messages_serial, StoreKey::Messages(c.clone()));
            [conversation, messages]
        });
        let mut keys: Vec<_> = open.chain(packed).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    pub(crate) fn contains(&self, key: &StoreKey) -> bool {
        self.stores.contains_key(key)
            || packable(key).is_some_and(|conversation| self.packed.contains_key(conversation))
    }

    /// Returns a store, which is unpacked if it is packed.
    pub(crate) fn get_mut(&mut self, key: &StoreKey) -> Option<&mut dyn Store> {
        if !self.packed.is_empty()
            && let Some(conversation) = packable(key)
        {
            self.unpack(conversation);
        }
        self.open_mut(key)
    }

    /// Returns a store unless it is packed. A packed store is loaded, has no viewers, and waits for
    /// nothing.
    pub(super) fn open_mut(&mut self, key: &StoreKey) -> Option<&mut dyn Store> {
        self.stores.get_mut(key).map(|slot| &mut *slot.store)
    }

    /// Releases memory that only an earlier, larger number of stores needed.
    pub(crate) fn release_memory(&mut self) {
        const UNUSED: usize = 4;

        if self.stores.capacity() > UNUSED * self.stores.len().max(UNUSED) {
            self.stores.shrink_to_fit();
        }
        if self.packed.capacity() > UNUSED * self.packed.len().max(UNUSED) {
            self.packed.shrink_to_fit();
        }
    }

    pub(super) fn serial_and_store<S: Store>(&self, key: &StoreKey) -> Option<(u64, &S)> {
        let slot = self.stores.get(key)?;
        let store: &dyn Any = &*slot.store;
        Some((slot.serial, store.downcast_ref()?))
    }

    fn get_as<S: Store>(&self, key: &StoreKey) -> Option<&S> {
        let (_, store) = self.serial_and_store(key)?;
        Some(store)
    }

    fn get_as_mut<S: Store>(&mut self, key: &StoreKey) -> Option<&mut S> {
        let store: &mut dyn Any = self.get_mut(key)?;
        store.downcast_mut()
    }

    pub(crate) fn messages(&mut self, conversation: &ConversationId) -> Option<&mut MessageStore> {
        self.get_as_mut(&StoreKey::Messages(conversation.clone()))
    }

    /// Returns the time at which the server received the newest loaded message of a conversation;
    /// `None` if that message was imported.
    pub(crate) fn newest_server_time(&self, conversation: &ConversationId) -> Option<Timestamp> {
        if let Some(packed) = self.packed.get(conversation) {
            return packed.last_message()?.server_time();
        }
        let key = StoreKey::Messages(conversation.clone());
        let messages = self.get_as::<MessageStore>(&key)?;
        messages.newest_visible()?.server_time()
    }

    pub(crate) fn conversation(
        &mut self,
        conversation: &ConversationId,
    ) -> Option<&mut ConversationStore> {
        self.get_as_mut(&StoreKey::Conversation(conversation.clone()))
    }

    pub(super) fn list(&mut self, filter: &ListFilter) -> Option<&mut ConversationList> {
        self.get_as_mut(&StoreKey::Conversations(filter.clone()))
    }

    /// Adds a viewer to a store, which is created if it does not exist.
    pub(crate) fn add_viewer(&mut self, key: &StoreKey, viewer: ViewerId, cx: &mut StoreCx) {
        self.create(key, cx);
        cx.linger.stop(key);
        if let Some(store) = self.get_mut(key) {
            store.add_viewer(viewer, cx);
        }
        if let StoreKey::Conversation(c) = key {
            self.show_last(c, cx);
        }
    }

    fn create(&mut self, key: &StoreKey, cx: &mut StoreCx) {
        if self.contains(key) {
            return;
        }
        let own = key.clone();
        let mut store: Box<dyn Store> = match key.clone() {
            StoreKey::User(_) => return,
            StoreKey::Online(user) => Box::new(EntityStore::new(own, Presence { user })),
            StoreKey::Typing(_) => Box::new(EntityStore::new(own, TypingUsers)),
            StoreKey::Participants(_) => Box::new(UserList::<Participant>::new(own)),
            StoreKey::Participant(key) => {
                let user = key.user.clone();
                Box::new(EntityStore::new(own, ParticipantOf { user }))
            }
            StoreKey::Reactions(..) => Box::new(UserList::<Reaction>::new(own)),
            StoreKey::Messages(c) => Box::new(MessageStore::new(c)),
            StoreKey::Conversation(c) => Box::new(ConversationStore::new(c)),
            StoreKey::Conversations(filter) => Box::new(ConversationList::new(filter)),
        };
        store.open(cx);
        self.next_serial += 1;
        let serial = self.next_serial;
        self.stores.insert(key.clone(), Slot { serial, store });
        if key.is_grouped() {
            self.groups
                .entry(key.scope())
                .or_default()
                .insert(key.clone());
        }
    }

    /// Keeps the last message of a conversation loaded and current.
    fn show_last(&mut self, c: &ConversationId, cx: &mut StoreCx) {
        if self.packed.contains_key(c) {
            return;
        }
        self.create(&StoreKey::Messages(c.clone()), cx);
        if let Some(messages) = self.messages(c)
            && !messages.is_shown_as_last()
        {
            cx.linger.stop(messages.key());
            messages.set_shown_as_last(true, cx);
        }
    }

    /// Removes a store and releases its references.
    pub(crate) fn remove(&mut self, key: &StoreKey, cx: &mut StoreCx) {
        let Some(store) = self.get_mut(key) else {
            return;
        };
        store.close(cx);
        self.stores.remove(key);
        if key.is_grouped()
            && let Some(group) = self.groups.get_mut(&key.scope())
        {
            group.remove(key);
            if group.is_empty() {
                self.groups.remove(&key.scope());
            }
        }
        if let StoreKey::Conversation(c) = key
            && let Some(messages) = self.messages(c)
        {
            messages.set_shown_as_last(false, cx);
        }
    }

    /// Updates a conversation from its messages, and the lists from the conversation.
    pub(crate) fn refresh_conversation(&mut self, c: &ConversationId, cx: &mut StoreCx) {
        let key = StoreKey::Conversation(c.clone());
        let Some(store) = self.conversation(c) else {
            return;
        };
        let lists = store.lists().to_vec();
        let mut is_shown = store.needs_subscription();
        if let Some(side) = store.side().cloned() {
            for filter in &lists {
                let list = self.list(filter);
                is_shown |= list.is_some_and(|list| list.consider(&side, cx));
            }
        }
        if is_shown {
            self.show_last(c, cx);
        }
        // The store is taken out of the table because other stores are borrowed at the same time.
        let Some(mut slot) = self.stores.remove(&key) else {
            return;
        };
        let store: &mut dyn Any = &mut *slot.store;
        if let Some(store) = store.downcast_mut::<ConversationStore>() {
            store.refresh(self.get_as(&StoreKey::Messages(c.clone())), cx);
            for filter in &lists {
                if let Some(list) = self.list(filter) {
                    list.conversation_changed(c, store, cx);
                }
            }
        }
        self.stores.insert(key, slot);
    }

    /// Applies the pending actions of conversation lists to conversations.
    pub(crate) fn apply_list_actions(&mut self, cx: &mut StoreCx) {
        while let Some(action) = cx.list_actions.pop_front() {
            match action {
                ListAction::Supply(list, side) => {
                    let id = side.id.clone();
                    let is_shown = self.list(&list).is_some_and(|list| list.contains(&id));
                    if let Some(store) = self.store_for_list(list, &id, cx) {
                        store.supply(*side, cx);
                    }
                    if is_shown {
                        self.show_last(&id, cx);
                    }
                }
                ListAction::Watch(list, id) => {
                    if let Some(store) = self.store_for_list(list, &id, cx) {
                        store.watch(cx);
                    }
                }
                ListAction::Release(list, id) => {
                    if let Some(store) = self.conversation(&id) {
                        store.remove_list(&list, cx);
                    }
                }
            }
        }
    }

    /// Requests one page of the rest of a list, unless one is in flight or another list waits for
    /// its first items.
    pub(crate) fn fetch_rest(&mut self, cx: &mut StoreCx) {
        let Some(mut rest) = cx.rest.take() else {
            return;
        };
        if rest.is_busy(&cx.requests) || self.waits_for_first_items(&mut rest) {
            cx.rest = Some(rest);
            return;
        }
        while let Some(key) = rest.pop() {
            let store = self.get_mut(&key);
            if let Some(fetch) = store.and_then(|store| store.fetch_rest(cx)) {
                rest.set_fetch(fetch);
                cx.rest = Some(rest);
                return;
            }
        }
    }

    /// Returns `true` if a list waits for its first items, which precede every rest.
    fn waits_for_first_items(&mut self, rest: &mut RestQueue) -> bool {
        let loading = rest.loading.get_or_insert_with(|| {
            let lists = self.in_order().into_iter();
            lists.filter(StoreKey::is_list).collect()
        });
        while let Some(key) = loading.front() {
            let sync = self.open_mut(key).map(Store::sync);
            if sync.is_some_and(|sync| !sync.is_known() && sync.fetch.is_some()) {
                return true;
            }
            loading.pop_front();
        }
        false
    }

    fn store_for_list(
        &mut self,
        list: ListFilter,
        id: &ConversationId,
        cx: &mut StoreCx,
    ) -> Option<&mut ConversationStore> {
        self.create(&StoreKey::Conversation(id.clone()), cx);
        let store = self.conversation(id)?;
        store.add_list(list);
        Some(store)
    }

    /// Handles a conversation that cannot be fetched: drops it from the lists in which it is a
    /// candidate, and returns the lists that contain it.
    pub(crate) fn lists_that_show(
        &mut self,
        c: &ConversationId,
        cx: &mut StoreCx,
    ) -> Vec<StoreKey> {
        let lists = self.conversation(c).map(|store| store.lists().to_vec());
        let mut lists = lists.unwrap_or_default();
        lists.retain(|filter| {
            let list = self.list(filter);
            list.is_some_and(|list| !list.drop_candidate(c, cx))
        });
        lists.into_iter().map(StoreKey::Conversations).collect()
    }

    /// Returns the stores that share a subscription with a store.
    pub(crate) fn sharing(&self, key: StoreKey) -> Vec<StoreKey> {
        match key {
            StoreKey::Conversations(_) => self.group(Scope::Lists).cloned().collect(),
            _ => vec![key],
        }
    }

    pub(super) fn group(&self, scope: Scope) -> impl Iterator<Item = &StoreKey> {
        self.groups.get(&scope).into_iter().flatten()
    }

    /// Dispatches an event to the stores that it concerns.
    pub(crate) fn handle_event(&mut self, event: ServerEvent, cx: &mut StoreCx) {
        if let ServerEvent::MessageCreated {
            conversation_id, ..
        } = &event
        {
            if let Some(messages) = self.messages(conversation_id) {
                messages.handle_created(event, cx);
            }
            return;
        }
        let event = &event;
        self.dispatch(event, cx);
        if let Some(lists) = self.groups.get(&Scope::Lists)
            && concerns_lists(event, &cx.me)
        {
            for key in lists {
                if let Some(slot) = self.stores.get_mut(key) {
                    slot.store.handle_event(event, cx);
                }
            }
            self.apply_list_actions(cx);
        }
    }

    fn dispatch(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        let Some(c) = event.conversation_id() else {
            return self.dispatch_user_event(event, cx);
        };
        match event {
            ServerEvent::SideCreated { .. } | ServerEvent::SideDeleted { .. } => {
                self.send(&StoreKey::Typing(c.clone()), event, cx);
                self.send(&StoreKey::Participants(c.clone()), event, cx);
                self.send(&StoreKey::Messages(c.clone()), event, cx);
                self.send(&StoreKey::Conversation(c.clone()), event, cx);
                self.send_to_group(c, |_| true, event, cx);
            }
            ServerEvent::ParticipantCreated { user_id, .. }
            | ServerEvent::ParticipantEdited { user_id, .. }
            | ServerEvent::ParticipantDeleted { user_id, .. } => {
                let participant = StoreKey::participant(c.clone(), user_id.clone());
                self.send(&participant, event, cx);
                self.send(&StoreKey::Participants(c.clone()), event, cx);
                self.send(&StoreKey::Conversation(c.clone()), event, cx);
            }
            ServerEvent::MessageEdited { .. } => {
                self.send(&StoreKey::Messages(c.clone()), event, cx);
            }
            ServerEvent::MessageDeleted { message_id, .. } => {
                self.send(&StoreKey::Messages(c.clone()), event, cx);
                let is_of_message =
                    |key: &_| matches!(key, StoreKey::Reactions(of) if of.message == *message_id);
                self.send_to_group(c, is_of_message, event, cx);
            }
            ServerEvent::ConversationCleared { .. } => {
                self.send(&StoreKey::Messages(c.clone()), event, cx);
                let is_reactions = |key: &_| matches!(key, StoreKey::Reactions(..));
                self.send_to_group(c, is_reactions, event, cx);
            }
            ServerEvent::TypingAvailable { .. } | ServerEvent::TypingChanged { .. } => {
                self.send(&StoreKey::Typing(c.clone()), event, cx);
            }
            ServerEvent::ReactionAdded {
                message_id, emoji, ..
            }
            | ServerEvent::ReactionRemoved {
                message_id, emoji, ..
            } => {
                let (message, emoji) = (message_id.clone(), emoji.clone());
                let reactions = StoreKey::reactions(c.clone(), message, emoji);
                self.send(&reactions, event, cx);
            }
            // The remaining events change the conversation itself.
            _ => self.send(&StoreKey::Conversation(c.clone()), event, cx),
        }
    }

    fn dispatch_user_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        if let ServerEvent::UserCreated { user_id, .. } | ServerEvent::UserEdited { user_id, .. } =
            event
        {
            cx.handle_user_event(user_id, event);
        }
        if let ServerEvent::UserCreated { user_id, .. }
        | ServerEvent::UserOnlineChanged { user_id, .. } = event
        {
            self.send(&StoreKey::Online(user_id.clone()), event, cx);
        }
    }

    fn send(&mut self, key: &StoreKey, event: &ServerEvent, cx: &mut StoreCx) {
        if let Some(store) = self.get_mut(key) {
            store.handle_event(event, cx);
        }
    }

    /// Dispatches an event to the participants and reactions of a conversation.
    fn send_to_group(
        &mut self,
        c: &ConversationId,
        is_concerned: impl Fn(&StoreKey) -> bool,
        event: &ServerEvent,
        cx: &mut StoreCx,
    ) {
        let group = self.group(Scope::Conversation(c.clone()));
        let keys: Vec<_> = group.filter(|key| is_concerned(key)).cloned().collect();
        for key in keys {
            self.send(&key, event, cx);
        }
    }
}

/// Returns the conversation of a store that can be packed.
fn packable(key: &StoreKey) -> Option<&ConversationId> {
    match key {
        StoreKey::Messages(conversation) | StoreKey::Conversation(conversation) => {
            Some(conversation)
        }
        _ => None,
    }
}
