//! Every store of a session.

use std::collections::BTreeMap;
use std::ops::DerefMut;

use super::conversation::ConversationStore;
use super::conversation_list::ConversationList;
use super::entity::EntityStore;
use super::list_filter::ListFilter;
use super::messages::MessageStore;
use super::store::Store;
use super::user_list::UserList;
use crate::collections::HashMap;
use crate::live::key::{StoreKey, ViewerId};
use crate::live::kinds::online::Presence;
use crate::live::kinds::participant::ParticipantOf;
use crate::live::kinds::typing::TypingUsers;
use crate::live::store_cx::{ListAction, StoreCx};
use crate::model::{ConversationId, Emoji, MessageId, Participant, Reaction, UserId};
use crate::wire::ServerEvent;

/// Those of one conversation.
type ReactionRosters = BTreeMap<(MessageId, Emoji), Box<UserList<Reaction>>>;

/// The stores by what they hold. Users are apart: every other store shows them.
///
/// They are boxed: a map makes room for several at once, and many sessions have one.
#[derive(Default)]
pub(crate) struct Stores {
    sides: HashMap<ConversationId, Box<ConversationStore>>,
    messages: HashMap<ConversationId, Box<MessageStore>>,
    participants: HashMap<ConversationId, Box<UserList<Participant>>>,
    participant: HashMap<ConversationId, BTreeMap<UserId, Box<EntityStore<ParticipantOf>>>>,
    typing: HashMap<ConversationId, Box<EntityStore<TypingUsers>>>,
    reactions: HashMap<ConversationId, ReactionRosters>,
    online: HashMap<UserId, Box<EntityStore<Presence>>>,
    conversations: BTreeMap<ListFilter, Box<ConversationList>>,
    /// The order in which stores came to be, in which they are subscribed again.
    serials: HashMap<StoreKey, u64>,
    next_serial: u64,
}

impl Stores {
    pub(crate) fn is_empty(&self) -> bool {
        self.serials.is_empty()
    }

    /// The names of all stores, the oldest first.
    pub(crate) fn in_order(&self) -> Vec<StoreKey> {
        let mut keys: Vec<_> = self.serials.iter().map(|(key, at)| (at, key)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key.clone()).collect()
    }

    pub(crate) fn contains(&self, key: &StoreKey) -> bool {
        self.serials.contains_key(key)
    }

    pub(crate) fn get_mut(&mut self, key: &StoreKey) -> Option<&mut dyn Store> {
        match key {
            StoreKey::User(_) => None,
            StoreKey::Online(u) => self.online.get_mut(u).map(as_store_mut),
            StoreKey::Typing(c) => self.typing.get_mut(c).map(as_store_mut),
            StoreKey::Participants(c) => self.participants.get_mut(c).map(as_store_mut),
            StoreKey::Participant(c, u) => {
                let of_conversation = self.participant.get_mut(c)?;
                of_conversation.get_mut(u).map(as_store_mut)
            }
            StoreKey::Reactions(c, m, e) => {
                let key = (m.clone(), e.clone());
                self.reactions.get_mut(c)?.get_mut(&key).map(as_store_mut)
            }
            StoreKey::Messages(c) => self.messages.get_mut(c).map(as_store_mut),
            StoreKey::Conversation(c) => self.sides.get_mut(c).map(as_store_mut),
            StoreKey::Conversations(filter) => self.conversations.get_mut(filter).map(as_store_mut),
        }
    }

    pub(crate) fn messages(&mut self, conversation: &ConversationId) -> Option<&mut MessageStore> {
        self.messages.get_mut(conversation).map(Box::as_mut)
    }

    /// Lets a viewer look at a thing, whose store is made if there is none.
    pub(crate) fn add_viewer(&mut self, key: &StoreKey, viewer: ViewerId, cx: &mut StoreCx) {
        self.make(key, cx);
        cx.linger.stop(key);
        if let Some(store) = self.get_mut(key) {
            store.add_viewer(viewer, cx);
        }
        if let StoreKey::Conversation(c) = key {
            self.show_last(c, cx);
        }
    }

    fn make(&mut self, key: &StoreKey, cx: &mut StoreCx) {
        if self.serials.contains_key(key) {
            return;
        }
        self.next_serial += 1;
        self.serials.insert(key.clone(), self.next_serial);
        let own = key.clone();
        match key.clone() {
            StoreKey::User(_) => {}
            StoreKey::Online(u) => {
                let thing = Presence { user: u.clone() };
                self.online
                    .insert(u, Box::new(EntityStore::new(own, thing)));
            }
            StoreKey::Typing(c) => {
                self.typing
                    .insert(c, Box::new(EntityStore::new(own, TypingUsers)));
            }
            StoreKey::Participants(c) => {
                self.participants.insert(c, Box::new(UserList::new(own)));
            }
            StoreKey::Participant(c, u) => {
                let thing = ParticipantOf { user: u.clone() };
                let of_conversation = self.participant.entry(c).or_default();
                of_conversation.insert(u, Box::new(EntityStore::new(own, thing)));
            }
            StoreKey::Reactions(c, m, e) => {
                let of_conversation = self.reactions.entry(c).or_default();
                of_conversation.insert((m, e), Box::new(UserList::new(own)));
            }
            StoreKey::Messages(c) => {
                self.messages
                    .insert(c.clone(), Box::new(MessageStore::new(c)));
            }
            StoreKey::Conversation(c) => {
                self.sides
                    .insert(c.clone(), Box::new(ConversationStore::new(c)));
            }
            StoreKey::Conversations(filter) => {
                let list = ConversationList::new(filter.clone());
                self.conversations.insert(filter, Box::new(list));
            }
        }
        if let Some(store) = self.get_mut(key) {
            store.open(cx);
        }
    }

    /// Keeps the last message of a conversation up to date.
    fn show_last(&mut self, c: &ConversationId, cx: &mut StoreCx) {
        self.make(&StoreKey::Messages(c.clone()), cx);
        if let Some(messages) = self.messages.get_mut(c)
            && !messages.is_shown_as_last()
        {
            cx.linger.stop(messages.key());
            messages.set_shown_as_last(true, cx);
        }
    }

    /// Drops a store, and lets go of what it shows.
    pub(crate) fn remove(&mut self, key: &StoreKey, cx: &mut StoreCx) {
        if let Some(store) = self.get_mut(key) {
            store.close(cx);
        }
        self.serials.remove(key);
        match key {
            StoreKey::User(_) => {}
            StoreKey::Online(u) => drop(self.online.remove(u)),
            StoreKey::Typing(c) => drop(self.typing.remove(c)),
            StoreKey::Participants(c) => drop(self.participants.remove(c)),
            StoreKey::Participant(c, u) => remove_part(&mut self.participant, c, u),
            StoreKey::Reactions(c, m, e) => {
                remove_part(&mut self.reactions, c, &(m.clone(), e.clone()));
            }
            StoreKey::Messages(c) => drop(self.messages.remove(c)),
            StoreKey::Conversations(filter) => drop(self.conversations.remove(filter)),
            StoreKey::Conversation(c) => {
                self.sides.remove(c);
                if let Some(messages) = self.messages.get_mut(c) {
                    messages.set_shown_as_last(false, cx);
                }
            }
        }
    }

    /// Brings a conversation up to date with its messages, and lists with the conversation.
    pub(crate) fn refresh_side(&mut self, c: &ConversationId, cx: &mut StoreCx) {
        let store = self.sides.get(c).map(Box::as_ref);
        let lists = store.map(|store| store.lists().clone()).unwrap_or_default();
        let mut is_shown = store.is_some_and(ConversationStore::needs_subscription);
        if let Some(side) = store.and_then(ConversationStore::side) {
            for filter in &lists {
                let list = self.conversations.get_mut(filter);
                is_shown |= list.is_some_and(|list| list.consider(side, cx));
            }
        }
        if is_shown {
            self.show_last(c, cx);
        }
        let Some(store) = self.sides.get_mut(c) else {
            return;
        };
        store.refresh(self.messages.get(c).map(Box::as_ref));
        for filter in &lists {
            if let Some(list) = self.conversations.get_mut(filter) {
                list.side_changed(store, cx);
            }
        }
    }

    /// Does what lists of conversations make of their conversations.
    pub(crate) fn apply_list_actions(&mut self, cx: &mut StoreCx) {
        while let Some(listed) = cx.list_actions.pop_front() {
            match listed {
                ListAction::Feed(list, side) => {
                    let id = side.id.clone();
                    let shows = self.conversations.get(&list);
                    let is_shown = shows.is_some_and(|list| list.shows(&id));
                    if let Some(store) = self.store_for_list(list, &id, cx) {
                        store.feed(*side, cx);
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
                    if let Some(store) = self.sides.get_mut(&id) {
                        store.remove_list(&list, cx);
                    }
                }
            }
        }
    }

    fn store_for_list(
        &mut self,
        list: ListFilter,
        id: &ConversationId,
        cx: &mut StoreCx,
    ) -> Option<&mut ConversationStore> {
        self.make(&StoreKey::Conversation(id.clone()), cx);
        let store = self.sides.get_mut(id)?;
        store.add_list(list);
        Some(store)
    }

    /// The lists that cannot do without a conversation; the others let it go.
    pub(crate) fn lists_that_need(
        &mut self,
        c: &ConversationId,
        cx: &mut StoreCx,
    ) -> Vec<StoreKey> {
        let lists = self.sides.get(c).map(|store| store.lists().clone());
        let mut lists = lists.unwrap_or_default();
        lists.retain(|filter| {
            let list = self.conversations.get_mut(filter);
            list.is_some_and(|list| !list.drop_candidate(c, cx))
        });
        lists.into_iter().map(StoreKey::Conversations).collect()
    }

    /// The stores that share the subscription of one.
    pub(crate) fn sharing(&self, key: StoreKey) -> Vec<StoreKey> {
        match key {
            StoreKey::Conversations(_) => {
                let lists = self.conversations.keys().cloned();
                lists.map(StoreKey::Conversations).collect()
            }
            _ => vec![key],
        }
    }

    pub(crate) fn has_side(&self, conversation: &ConversationId) -> bool {
        self.sides.contains_key(conversation)
    }

    /// Gives an event to every store that it concerns.
    pub(crate) fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        self.tell_one(event, cx);
        if !self.conversations.is_empty() {
            for list in self.conversations.values_mut() {
                list.handle_event(event, cx);
            }
            self.apply_list_actions(cx);
        }
    }

    fn tell_one(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        match event {
            ServerEvent::UserCreated { user_id, .. } => {
                cx.handle_user_event(user_id, event);
                self.tell(&StoreKey::Online(user_id.clone()), event, cx);
            }
            ServerEvent::UserEdited { user_id, .. } => cx.handle_user_event(user_id, event),
            ServerEvent::UserOnlineChanged { user_id, .. } => {
                self.tell(&StoreKey::Online(user_id.clone()), event, cx);
            }
            ServerEvent::SideCreated {
                conversation_id, ..
            }
            | ServerEvent::SideDeleted { conversation_id } => {
                for key in self.of_conversation(conversation_id) {
                    self.tell(&key, event, cx);
                }
            }
            ServerEvent::SideEdited {
                conversation_id, ..
            }
            | ServerEvent::ConversationEdited {
                conversation_id, ..
            } => self.tell(&StoreKey::Conversation(conversation_id.clone()), event, cx),
            ServerEvent::ParticipantCreated {
                conversation_id,
                user_id,
                ..
            }
            | ServerEvent::ParticipantEdited {
                conversation_id,
                user_id,
                ..
            }
            | ServerEvent::ParticipantDeleted {
                conversation_id,
                user_id,
            } => {
                let one = StoreKey::Participant(conversation_id.clone(), user_id.clone());
                self.tell(&one, event, cx);
                self.tell(&StoreKey::Participants(conversation_id.clone()), event, cx);
                self.tell(&StoreKey::Conversation(conversation_id.clone()), event, cx);
            }
            ServerEvent::MessageCreated {
                conversation_id, ..
            }
            | ServerEvent::MessageEdited {
                conversation_id, ..
            } => self.tell(&StoreKey::Messages(conversation_id.clone()), event, cx),
            ServerEvent::MessageDeleted {
                conversation_id,
                message_id,
                ..
            } => {
                self.tell(&StoreKey::Messages(conversation_id.clone()), event, cx);
                for key in self.reactions_in(conversation_id, Some(message_id)) {
                    self.tell(&key, event, cx);
                }
            }
            ServerEvent::ConversationCleared { conversation_id } => {
                self.tell(&StoreKey::Messages(conversation_id.clone()), event, cx);
                for key in self.reactions_in(conversation_id, None) {
                    self.tell(&key, event, cx);
                }
            }
            ServerEvent::TypingAvailable {
                conversation_id, ..
            }
            | ServerEvent::TypingChanged {
                conversation_id, ..
            } => self.tell(&StoreKey::Typing(conversation_id.clone()), event, cx),
            ServerEvent::ReactionAdded {
                conversation_id,
                message_id,
                emoji,
                ..
            }
            | ServerEvent::ReactionRemoved {
                conversation_id,
                message_id,
                emoji,
                ..
            } => {
                let (c, m, e) = (conversation_id, message_id, emoji);
                let key = StoreKey::Reactions(c.clone(), m.clone(), e.clone());
                self.tell(&key, event, cx);
            }
            ServerEvent::SessionExpired | ServerEvent::UpstreamRestarting => {}
        }
    }

    fn tell(&mut self, key: &StoreKey, event: &ServerEvent, cx: &mut StoreCx) {
        if let Some(store) = self.get_mut(key) {
            store.handle_event(event, cx);
        }
    }

    /// The stores of one conversation.
    fn of_conversation(&self, conversation: &ConversationId) -> Vec<StoreKey> {
        let c = || conversation.clone();
        let mut keys = vec![
            StoreKey::Typing(c()),
            StoreKey::Participants(c()),
            StoreKey::Messages(c()),
            StoreKey::Conversation(c()),
        ];
        let participants = self.participant.get(conversation);
        let users = participants.into_iter().flat_map(BTreeMap::keys);
        keys.extend(users.map(|user| StoreKey::Participant(c(), user.clone())));
        keys.extend(self.reactions_in(conversation, None));
        keys
    }

    /// The stores of reactions to one message, or to all.
    fn reactions_in(
        &self,
        conversation: &ConversationId,
        message: Option<&MessageId>,
    ) -> Vec<StoreKey> {
        let reactions = self.reactions.get(conversation);
        reactions
            .into_iter()
            .flat_map(BTreeMap::keys)
            .filter(|(of, _)| message.is_none_or(|message| message == of))
            .map(|(m, e)| StoreKey::Reactions(conversation.clone(), m.clone(), e.clone()))
            .collect()
    }
}

/// Removes one of the stores of a conversation.
fn remove_part<K: Ord, S>(
    stores: &mut HashMap<ConversationId, BTreeMap<K, S>>,
    conversation: &ConversationId,
    part: &K,
) {
    let of_conversation = stores.get_mut(conversation);
    let was_last = of_conversation.is_some_and(|parts| {
        parts.remove(part);
        parts.is_empty()
    });
    if was_last {
        stores.remove(conversation);
    }
}

fn as_store_mut<B: DerefMut<Target: Store + Sized>>(store: &mut B) -> &mut dyn Store {
    &mut **store
}
