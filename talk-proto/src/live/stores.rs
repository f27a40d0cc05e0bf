//! Every store of a session.

use std::collections::BTreeMap;

use super::context::Context;
use super::key::{StoreKey, ViewerId};
use super::messages::MessageStore;
use super::online::Presence;
use super::participant::OneParticipant;
use super::roster::Roster;
use super::sides::SideStore;
use super::single::Single;
use super::store::Store;
use super::typing::WhoTypes;
use crate::model::{ConversationId, Emoji, MessageId, Participant, Reaction, UserId};
use crate::wire::ServerEvent;

/// The stores by what they hold. Users are apart: every other store shows them.
#[derive(Default)]
pub(super) struct Stores {
    sides: BTreeMap<ConversationId, SideStore>,
    messages: BTreeMap<ConversationId, MessageStore>,
    participants: BTreeMap<ConversationId, Roster<Participant>>,
    participant: BTreeMap<ConversationId, BTreeMap<UserId, Single<OneParticipant>>>,
    typing: BTreeMap<ConversationId, Single<WhoTypes>>,
    reactions: BTreeMap<ConversationId, BTreeMap<(MessageId, Emoji), Roster<Reaction>>>,
    online: BTreeMap<UserId, Single<Presence>>,
    /// The order in which stores came to be, in which they are subscribed again.
    serials: BTreeMap<StoreKey, u64>,
    next_serial: u64,
}

impl Stores {
    pub(super) fn is_empty(&self) -> bool {
        self.serials.is_empty()
    }

    /// The names of all stores, the oldest first.
    pub(super) fn in_order(&self) -> Vec<StoreKey> {
        let mut keys: Vec<_> = self.serials.iter().map(|(key, at)| (at, key)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key.clone()).collect()
    }

    pub(super) fn get(&self, key: &StoreKey) -> Option<&dyn Store> {
        match key {
            StoreKey::User(_) => None,
            StoreKey::Online(u) => self.online.get(u).map(as_store),
            StoreKey::Typing(c) => self.typing.get(c).map(as_store),
            StoreKey::Participants(c) => self.participants.get(c).map(as_store),
            StoreKey::Participant(c, u) => self.participant.get(c)?.get(u).map(as_store),
            StoreKey::Reactions(c, m, e) => {
                let key = (m.clone(), e.clone());
                self.reactions.get(c)?.get(&key).map(as_store)
            }
            StoreKey::Messages(c) => self.messages.get(c).map(as_store),
            StoreKey::Side(c) => self.sides.get(c).map(as_store),
        }
    }

    pub(super) fn get_mut(&mut self, key: &StoreKey) -> Option<&mut dyn Store> {
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
            StoreKey::Side(c) => self.sides.get_mut(c).map(as_store_mut),
        }
    }

    pub(super) fn messages(&mut self, conversation: &ConversationId) -> Option<&mut MessageStore> {
        self.messages.get_mut(conversation)
    }

    /// Lets a viewer look at a thing, whose store is made if there is none.
    pub(super) fn add_viewer(&mut self, key: &StoreKey, viewer: ViewerId, cx: &mut Context) {
        self.make(key, cx);
        cx.linger.stop(key);
        if let Some(store) = self.get_mut(key) {
            store.add_viewer(viewer, cx);
        }
    }

    fn make(&mut self, key: &StoreKey, cx: &mut Context) {
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
                self.online.insert(u, Single::new(own, thing));
            }
            StoreKey::Typing(c) => {
                self.typing.insert(c, Single::new(own, WhoTypes));
            }
            StoreKey::Participants(c) => {
                self.participants.insert(c, Roster::new(own));
            }
            StoreKey::Participant(c, u) => {
                let thing = OneParticipant { user: u.clone() };
                let of_conversation = self.participant.entry(c).or_default();
                of_conversation.insert(u, Single::new(own, thing));
            }
            StoreKey::Reactions(c, m, e) => {
                let of_conversation = self.reactions.entry(c).or_default();
                of_conversation.insert((m, e), Roster::new(own));
            }
            StoreKey::Messages(c) => {
                self.messages.insert(c.clone(), MessageStore::new(c));
            }
            StoreKey::Side(c) => {
                self.sides.insert(c.clone(), SideStore::new(c));
            }
        }
        if let Some(store) = self.get_mut(key) {
            store.open(cx);
        }
        if let StoreKey::Side(c) = key {
            self.make(&StoreKey::Messages(c.clone()), cx);
            if let Some(messages) = self.messages.get_mut(c) {
                cx.linger.stop(messages.key());
                messages.set_shown_as_last(true, cx);
            }
        }
    }

    /// Drops a store, and lets go of what it shows.
    pub(super) fn remove(&mut self, key: &StoreKey, cx: &mut Context) {
        if let Some(store) = self.get_mut(key) {
            store.close(cx);
        }
        self.serials.remove(key);
        match key {
            StoreKey::User(_) => {}
            StoreKey::Online(u) => drop(self.online.remove(u)),
            StoreKey::Typing(c) => drop(self.typing.remove(c)),
            StoreKey::Participants(c) => drop(self.participants.remove(c)),
            StoreKey::Participant(c, u) => {
                if let Some(of_conversation) = self.participant.get_mut(c) {
                    of_conversation.remove(u);
                    if of_conversation.is_empty() {
                        self.participant.remove(c);
                    }
                }
            }
            StoreKey::Reactions(c, m, e) => {
                if let Some(of_conversation) = self.reactions.get_mut(c) {
                    of_conversation.remove(&(m.clone(), e.clone()));
                    if of_conversation.is_empty() {
                        self.reactions.remove(c);
                    }
                }
            }
            StoreKey::Messages(c) => drop(self.messages.remove(c)),
            StoreKey::Side(c) => {
                self.sides.remove(c);
                if let Some(messages) = self.messages.get_mut(c) {
                    messages.set_shown_as_last(false, cx);
                }
            }
        }
    }

    /// Brings the conversation up to date with its messages.
    pub(super) fn refresh_side(&mut self, conversation: &ConversationId) {
        let side = self.sides.get_mut(conversation);
        if let (Some(side), Some(messages)) = (side, self.messages.get(conversation)) {
            side.refresh(messages);
        }
    }

    pub(super) fn has_side(&self, conversation: &ConversationId) -> bool {
        self.sides.contains_key(conversation)
    }

    /// Gives an event to every store that it concerns.
    pub(super) fn handle_event(&mut self, event: &ServerEvent, cx: &mut Context) {
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
            } => self.tell(&StoreKey::Side(conversation_id.clone()), event, cx),
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
                self.tell(&StoreKey::Side(conversation_id.clone()), event, cx);
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

    fn tell(&mut self, key: &StoreKey, event: &ServerEvent, cx: &mut Context) {
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
            StoreKey::Side(c()),
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

fn as_store<S: Store>(store: &S) -> &dyn Store {
    store
}

fn as_store_mut<S: Store>(store: &mut S) -> &mut dyn Store {
    store
}
