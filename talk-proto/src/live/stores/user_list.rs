//! Lists of users: the participants of a conversation, and who reacted to a message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::store::{List, PageSizes, Response, Store, ViewUpdate};
use crate::command::RequestId;
use crate::live::key::{Dependent, StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{End, ListItem, OrderedList};
use crate::live::list::view::ListState;
use crate::live::store_cx::StoreCx;
use crate::live::sync::paginator::{Cursor, PageOutcome, Paginator};
use crate::live::sync::state::{Stage, SyncState};
use crate::model::{User, UserId};
use crate::snapshot::{Snapshot, Update, Window};
use crate::wire::ServerEvent;

/// One kind of list of users.
pub(crate) trait Entry: Clone + PartialEq + DeserializeOwned {
    type Snapshot: ListItem<Key = UserId>;

    /// The items that a window begins with, that the first load asks for, that one request gives
    /// at most, and that a window grows by unless asked otherwise.
    const FIRST_WINDOW: usize;
    const FIRST_LOAD: usize;
    const PAGE: usize;
    const MORE: usize;
    /// Where new items come in.
    const NEW_AT: End;

    fn user(&self) -> &UserId;
    /// What the list is ordered by, ascending.
    fn time(&self) -> i64;
    fn snapshot(&self, user: Arc<User>) -> Self::Snapshot;
    fn read(event: &ServerEvent) -> Option<Change<Self>>;
    fn wrap(window: Option<Window<Self::Snapshot>>) -> Snapshot;
}

/// What an event does to the list.
pub(crate) enum Change<E> {
    Add(E),
    Edit(UserId, Box<dyn FnOnce(&mut E)>),
    Remove(UserId),
    /// There is no list any more.
    Vanish,
}

/// The store of one list of users.
pub(crate) struct UserList<E: Entry> {
    pages: Paginator<E>,
    list: OrderedList<E::Snapshot>,
    entries: BTreeMap<UserId, (Position, E)>,
}

impl<E: Entry> UserList<E> {
    pub(crate) fn new(key: StoreKey) -> Self {
        Self {
            pages: Paginator::new(SyncState::new(key), E::PAGE),
            list: OrderedList::new(),
            entries: BTreeMap::new(),
        }
    }

    fn key(&self) -> &StoreKey {
        self.pages.sync.key()
    }

    fn state(&self, cap: usize) -> ListState {
        ListState {
            complete: self.pages.is_complete(),
            full: self.list.len() >= cap,
            initial: E::FIRST_WINDOW.min(cap),
        }
    }

    /// Puts an entry at a place, or changes the one that is there.
    fn put(&mut self, position: Position, entry: E, cx: &mut StoreCx) {
        let user = entry.user().clone();
        match self.entries.insert(user.clone(), (position, entry)) {
            None => cx.hold_user(&user, self.dependent(&user)),
            Some((old, _)) if old != position => self.list.remove(old),
            Some(_) => return self.show(&user, cx),
        }
        self.list.insert(position, user.clone());
        self.show(&user, cx);
    }

    fn remove(&mut self, user: &UserId, cx: &mut StoreCx) {
        if let Some((position, _)) = self.entries.remove(user) {
            self.list.remove(position);
            cx.release_user(user, &self.dependent(user));
            cx.changed.insert(self.key().clone());
        }
    }

    fn dependent(&self, user: &UserId) -> Dependent {
        Dependent::Item(self.key().clone(), user.clone())
    }

    /// Gives the list the entry as it is now, once its user is known; without a user there is
    /// nothing to show.
    fn show(&mut self, user: &UserId, cx: &mut StoreCx) {
        let Some((position, entry)) = self.entries.get(user) else {
            return;
        };
        match cx.user(user) {
            None => return,
            Some(None) => self.list.hide(*position),
            Some(Some(user)) => {
                let snapshot = entry.snapshot(Arc::clone(user));
                if self
                    .list
                    .shown
                    .get(*position)
                    .is_none_or(|shown| **shown != snapshot)
                {
                    self.list.show(*position, Arc::new(snapshot));
                }
            }
        }
        cx.changed.insert(self.key().clone());
    }

    fn apply(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        match E::read(event) {
            None => {}
            Some(Change::Add(entry)) => self.add(entry, cx),
            Some(Change::Edit(user, edit)) => {
                if let Some((position, mut entry)) = self.entries.get(&user).cloned() {
                    edit(&mut entry);
                    self.put(position, entry, cx);
                }
            }
            Some(Change::Remove(user)) => self.remove(&user, cx),
            Some(Change::Vanish) => {
                self.pages.sync.set_absent(cx);
                self.clear(cx);
            }
        }
    }

    /// Takes up an entry that came by an event, unless it lies behind what is loaded.
    fn add(&mut self, entry: E, cx: &mut StoreCx) {
        // One that is here already came with a page, and is as new as that.
        let old = self.entries.get(entry.user());
        if old.is_some_and(|(position, _)| position.is_at(entry.time())) {
            return;
        }
        let position = self.list.place(entry.time(), E::NEW_AT);
        let is_behind = match self.list.last() {
            Some((last, _)) => position > last,
            None => E::NEW_AT == End::Back,
        };
        if is_behind && !self.pages.is_complete() {
            return;
        }
        self.put(position, entry, cx);
        self.trim(cx);
    }

    fn trim(&mut self, cx: &mut StoreCx) {
        while self.list.len() > cx.limits.window.max(1)
            && let Some((_, user)) = self.list.last()
        {
            let user = user.clone();
            self.remove(&user, cx);
            self.pages.cursor = Cursor::Unknown;
        }
    }

    fn clear(&mut self, cx: &mut StoreCx) {
        for user in self.list.keys().cloned().collect::<Vec<_>>() {
            self.remove(&user, cx);
        }
        self.pages.cursor = Cursor::Unknown;
    }

    fn replace(&mut self, mut entries: Vec<E>, cx: &mut StoreCx) {
        entries.sort_by_key(E::time);
        let kept: BTreeSet<&UserId> = entries.iter().map(E::user).collect();
        let gone = self.list.keys().filter(|user| !kept.contains(user));
        for user in gone.cloned().collect::<Vec<_>>() {
            self.remove(&user, cx);
        }
        let mut before = None;
        for entry in entries {
            let position = match self.entries.get(entry.user()) {
                Some((position, _)) if position.is_at(entry.time()) && before < Some(*position) => {
                    *position
                }
                _ => self.list.place(entry.time(), End::Back),
            };
            before = Some(position);
            self.put(position, entry, cx);
        }
    }

    fn append(&mut self, entries: Vec<E>, cx: &mut StoreCx) {
        for entry in entries {
            if !self.entries.contains_key(entry.user()) {
                let position = self.list.place(entry.time(), End::Back);
                self.put(position, entry, cx);
            }
        }
    }

    fn replay(&mut self, cx: &mut StoreCx) {
        for event in self.pages.sync.log().to_vec() {
            self.apply(&event, cx);
        }
    }
}

impl<E: Entry> Store for UserList<E> {
    fn open(&mut self, cx: &mut StoreCx) {
        self.pages.sync.open(cx);
    }

    fn lost(&mut self) {
        self.pages.sync.lost();
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.pages.sync.close(cx);
        self.clear(cx);
    }

    fn sync(&mut self) -> &mut SyncState {
        &mut self.pages.sync
    }

    fn is_wanted(&self) -> bool {
        !self.list.views.is_empty()
    }

    fn fetch(&mut self, cx: &mut StoreCx) {
        let cap = cx.limits.window.max(1);
        let state = self.state(cap);
        if let Some((mut wanted, loaded)) = self.list.wants(state) {
            if self.pages.sync.stage == Stage::Unloaded {
                wanted = wanted.max(E::FIRST_LOAD);
            }
            self.pages.fetch(wanted.min(cap), loaded, None::<&()>, cx);
        }
    }

    fn answer(&mut self, answer: Response<'_>, cx: &mut StoreCx) {
        match self.pages.take_answer(answer, cx) {
            PageOutcome::Pending => return,
            PageOutcome::Absent => return self.clear(cx),
            PageOutcome::Reset(entries) => self.replace(entries, cx),
            PageOutcome::Next(entries) => self.append(entries, cx),
        }
        self.replay(cx);
        self.trim(cx);
        let last = self.list.last().map(|(position, _)| position);
        for view in self.list.views.values_mut() {
            view.clamp(last, self.pages.is_complete());
        }
        self.pages.sync.clear_log();
        cx.attend_to(self.pages.sync.key());
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        if self.pages.sync.follow_membership(event, cx) {
            return self.clear(cx);
        }
        if self.pages.sync.admit(event, false, cx) {
            self.apply(event, cx);
        }
    }

    fn user_changed(&mut self, dependent: &Dependent, cx: &mut StoreCx) {
        if let Dependent::Item(_, user) = dependent {
            self.show(user, cx);
        }
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.list.viewers()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx) {
        self.list.add_viewer(viewer);
        cx.attend_to(self.key());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.list.remove_viewer(viewer)
    }

    fn list(&mut self) -> Option<(&mut dyn List, PageSizes)> {
        let growth = PageSizes {
            max: E::PAGE,
            default: E::MORE,
        };
        Some((&mut self.list, growth))
    }

    fn review(&mut self, cx: &StoreCx, news: &mut Vec<ViewUpdate>) {
        let state = self.state(cx.limits.window.max(1));
        for (viewer, view) in &mut self.list.views {
            let review = match self.pages.sync.stage {
                Stage::Unloaded => return,
                Stage::Absent => view.see_absence(),
                Stage::Loaded => view.see(&mut self.list.shown, state),
            };
            news.push(ViewUpdate {
                viewer: *viewer,
                update: review.update.map(|(window, changes)| Update {
                    snapshot: E::wrap(window),
                    changes,
                }),
                resolved: review.resolved,
                refusal: None,
            });
        }
    }
}
