//! The stores that an unreadable event concerned, and their reload.
//!
//! A store is reloaded once for all unreadable events of a publish. Events that arrive while it is
//! loading cause one more reload, after the update of its viewers, because the pending response may
//! be older.

use super::table::Stores;
use crate::fault_injection::FaultInjection;
use crate::live::key::{Scope, StoreKey};
use crate::live::store_cx::StoreCx;
use crate::model::UserId;
use crate::wire::{EventKind, UnreadableEvent};

impl Stores {
    /// Marks the stores that an unreadable event concerned as outdated. An unreadable ID of a user
    /// or message counts as every ID. Events whose conversation is missing are not handled here,
    /// because all data is fetched again after them.
    pub(crate) fn handle_unreadable(&mut self, event: &UnreadableEvent, cx: &mut StoreCx) {
        if !cx.ready || FaultInjection::SkippedRefetch.is_on() {
            return;
        }
        let users = cx.users.in_order().into_iter().map(StoreKey::User);
        let mut keys: Vec<_> = self.in_order().into_iter().chain(users).collect();
        keys.retain(|key| concerns(event, key, &cx.me));
        // A list may have to include a conversation that has no store yet.
        let conversation = event.conversation_id.clone().map(StoreKey::Conversation);
        keys.extend(conversation.filter(|key| concerns(event, key, &cx.me)));
        cx.outdated.get_or_insert_default().extend(keys);
    }

    /// Reloads the outdated stores, except those that are loading. Returns `true` if one was
    /// reloaded.
    pub(crate) fn reload_outdated(&mut self, cx: &mut StoreCx) -> bool {
        let Some(keys) = cx.outdated.take() else {
            return false;
        };
        let mut has_reloaded = false;
        for key in *keys {
            if self.must_wait(&key, cx) {
                cx.outdated.get_or_insert_default().insert(key);
            } else {
                has_reloaded |= self.reload(&key, cx);
            }
        }
        has_reloaded
    }

    /// Returns `true` while a response that may be older than the event is pending.
    fn must_wait(&mut self, key: &StoreKey, cx: &StoreCx) -> bool {
        match key {
            StoreKey::User(user) => cx.users.is_loading(user),
            StoreKey::Conversation(_) => {
                // The pages of lists contain the states of conversations.
                let lists: Vec<_> = self.group(Scope::Lists).cloned().collect();
                self.is_loading(key) || lists.iter().any(|list| self.is_loading(list))
            }
            _ => self.is_loading(key),
        }
    }

    fn is_loading(&mut self, key: &StoreKey) -> bool {
        let store = self.open_mut(key);
        store.is_some_and(|store| store.sync().fetch.is_some())
    }

    /// Reloads a store. Returns `true` if there is work to do.
    fn reload(&mut self, key: &StoreKey, cx: &mut StoreCx) -> bool {
        if let StoreKey::User(user) = key {
            return cx.reload_user(user);
        }
        let mut has_reloaded = false;
        if let Some(store) = self.get_mut(key)
            && store.sync().is_known()
        {
            store.reload(cx);
            has_reloaded = true;
        }
        if let StoreKey::Conversation(id) = key {
            let lists: Vec<_> = self.group(Scope::Lists).cloned().collect();
            for list in lists {
                if let StoreKey::Conversations(filter) = list
                    && let Some(list) = self.list(&filter)
                {
                    list.check(id, cx);
                }
            }
        }
        has_reloaded || !cx.list_actions.is_empty()
    }
}

/// Returns `true` if an event may have changed the entity of a store.
fn concerns(event: &UnreadableEvent, key: &StoreKey, me: &UserId) -> bool {
    use EventKind as Kind;

    let is_user = |user: &UserId| event.user_id.as_ref().is_none_or(|id| id == user);
    let is_membership = matches!(event.kind, Kind::SideCreated | Kind::SideDeleted);
    let is_of_participant = matches!(
        event.kind,
        Kind::ParticipantCreated | Kind::ParticipantEdited | Kind::ParticipantDeleted
    );
    let is_of_own_view = matches!(event.kind, Kind::SideEdited | Kind::ConversationEdited)
        || (matches!(event.kind, Kind::ParticipantEdited) && is_user(me));
    let is_of_kind = match key {
        StoreKey::User(user) => {
            is_user(user) && matches!(event.kind, Kind::UserCreated | Kind::UserEdited)
        }
        StoreKey::Online(user) => {
            is_user(user) && matches!(event.kind, Kind::UserCreated | Kind::UserOnlineChanged)
        }
        StoreKey::Typing(_) => {
            is_membership || matches!(event.kind, Kind::TypingAvailable | Kind::TypingChanged)
        }
        StoreKey::Participants(_) => is_membership || is_of_participant,
        StoreKey::Participant(key) => is_membership || (is_of_participant && is_user(&key.user)),
        StoreKey::Reactions(key) => {
            let is_message = event
                .message_id
                .as_ref()
                .is_none_or(|id| *id == key.message);
            is_membership
                || matches!(event.kind, Kind::ConversationCleared)
                || is_message
                    && matches!(
                        event.kind,
                        Kind::MessageDeleted | Kind::ReactionAdded | Kind::ReactionRemoved
                    )
        }
        StoreKey::Messages(_) => {
            is_membership
                || matches!(
                    event.kind,
                    Kind::MessageCreated
                        | Kind::MessageEdited
                        | Kind::MessageDeleted
                        | Kind::ConversationCleared
                )
        }
        StoreKey::Conversation(_) => is_membership || is_of_own_view,
        // Lists show the state of conversations.
        StoreKey::Conversations(_) => false,
    };
    let is_in_scope = match key.scope() {
        Scope::Conversation(id) => event.conversation_id == Some(id),
        Scope::User(_) | Scope::Lists => true,
    };
    is_of_kind && is_in_scope
}
