//! Lists of users: the participants of a conversation, and the reactions with an emoji.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::list_pages::ListPages;
use super::paged_list::{ListStore, PageSizes, PagedList};
use crate::changes::RemovalReason;
use crate::live::key::{Dependent, StoreKey};
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{ListItem, TieBreak};
use crate::live::store_cx::StoreCx;
use crate::model::{User, UserId};
use crate::snapshot::{Snapshot, Window};
use crate::wire::{Salvage, ServerEvent};

/// A kind of user list.
pub(crate) trait Entry: Clone + PartialEq + Salvage + Send + Sync + 'static {
    type Snapshot: ListItem<Key = UserId> + Send + Sync;

    const SIZES: PageSizes;
    /// The reason for the removal of an entry.
    const GONE: RemovalReason;
    /// The position of new entries among those with an equal time.
    const TIE_BREAK: TieBreak;

    fn user(&self) -> &UserId;

    /// Returns the sort key. Lists are in ascending order.
    fn time(&self) -> i64;

    fn snapshot(&self, user: Arc<User>) -> Self::Snapshot;

    /// Returns the effect of an event on the list.
    fn change(event: &ServerEvent) -> Option<EntryChange<Self>>;

    fn wrap(window: Option<Window<Self::Snapshot>>) -> Snapshot;
}

/// A change of a user list.
pub(crate) enum EntryChange<E> {
    Add(E),
    Edit(UserId, Box<dyn FnOnce(&mut E)>),
    Remove(UserId),
    /// The list becomes absent.
    RemoveList,
}

/// The store of a list of users.
pub(crate) struct UserList<E: Entry> {
    paged: PagedList<E, E::Snapshot>,
    entries: BTreeMap<UserId, (Position, E)>,
}

impl<E: Entry> UserList<E> {
    pub(crate) fn new(key: StoreKey) -> Self {
        Self {
            paged: PagedList::new(key, &E::SIZES),
            entries: BTreeMap::new(),
        }
    }

    fn dependent(&self) -> Dependent {
        Dependent::Store(self.paged.key().clone())
    }

    /// Shows the entry of a known user, and hides the entry of a user that does not exist.
    fn show(&mut self, user: &UserId, cx: &mut StoreCx) {
        let Some((position, entry)) = self.entries.get(user) else {
            return;
        };
        match cx.user(user) {
            None => return,
            Some(None) => self.paged.items.hide(*position),
            Some(Some(user)) => {
                let snapshot = entry.snapshot(Arc::clone(user));
                let visible = self.paged.items.visible.get(*position);
                if visible.is_none_or(|visible| **visible != snapshot) {
                    self.paged.items.show(*position, Arc::new(snapshot));
                }
            }
        }
        cx.changed.insert(self.paged.key().clone());
    }

    /// Adds an entry from an event, unless it is beyond the loaded ones.
    fn add_new(&mut self, entry: E, cx: &mut StoreCx) {
        // An entry with the same time came from a page, which is at least as new as the event.
        let old = self.entries.get(entry.user());
        if old.is_some_and(|(position, _)| position.is_at(entry.time())) {
            return;
        }
        let position = self.paged.items.allocate(entry.time(), E::TIE_BREAK);
        if !self.paged.is_beyond(position) {
            self.put(position, entry, cx);
            self.trim(cx);
        }
    }
}

impl<E: Entry> ListStore for UserList<E> {
    type Raw = E;
    type Item = E::Snapshot;

    const SIZES: PageSizes = E::SIZES;
    const GONE: RemovalReason = E::GONE;

    fn paged(&self) -> &PagedList<E, E::Snapshot> {
        &self.paged
    }

    fn paged_mut(&mut self) -> &mut PagedList<E, E::Snapshot> {
        &mut self.paged
    }

    fn key_of(entry: &E) -> &UserId {
        entry.user()
    }

    fn time_of(entry: &E) -> i64 {
        entry.time()
    }

    fn position_of(&self, user: &UserId) -> Option<Position> {
        self.entries.get(user).map(|(position, _)| *position)
    }

    fn put(&mut self, position: Position, entry: E, cx: &mut StoreCx) {
        let user = entry.user().clone();
        match self.entries.insert(user.clone(), (position, entry)) {
            None => cx.retain_user(&user, self.dependent()),
            Some((old, _)) if old != position => self.paged.items.take_out(old),
            Some(_) => return self.show(&user, cx),
        }
        self.paged.items.insert(position, user.clone());
        self.show(&user, cx);
    }

    fn remove(&mut self, user: &UserId, reason: RemovalReason, cx: &mut StoreCx) {
        if let Some((position, _)) = self.entries.remove(user) {
            self.paged.items.remove(position, reason);
            cx.release_user(user, &self.dependent());
            cx.changed.insert(self.paged.key().clone());
        }
    }

    fn apply(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        match E::change(event) {
            None => {}
            Some(EntryChange::Add(entry)) => self.add_new(entry, cx),
            Some(EntryChange::Edit(user, edit)) => {
                if let Some((position, mut entry)) = self.entries.get(&user).cloned() {
                    edit(&mut entry);
                    self.put(position, entry, cx);
                }
            }
            Some(EntryChange::Remove(user)) => self.remove(&user, E::GONE, cx),
            Some(EntryChange::RemoveList) => {
                self.paged.pages.sync.set_absent(cx);
                self.clear(cx);
            }
        }
    }

    fn wrap(window: Option<Window<E::Snapshot>>) -> Option<Snapshot> {
        Some(E::wrap(window))
    }

    fn refresh_user(&mut self, user: &UserId, cx: &mut StoreCx) {
        self.show(user, cx);
    }
}
