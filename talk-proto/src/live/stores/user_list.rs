//! Lists of users: the participants of a conversation, and who reacted to a message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::store::{Answer, Growth, List, News, Store};
use crate::command::RequestId;
use crate::live::key::{Dependent, StoreKey, ViewerId};
use crate::live::list::items::Position;
use crate::live::list::ordered_list::{End, Face, Listing};
use crate::live::list::view::ListState;
use crate::live::store_cx::Context;
use crate::live::sync::paginator::{Cursor, Feed, Loaded};
use crate::live::sync::state::{Stage, Sync};
use crate::model::{User, UserId};
use crate::snapshot::{Snapshot, Update, Window};
use crate::wire::ServerEvent;

/// One kind of list of users.
pub(crate) trait Entry: Clone + PartialEq + DeserializeOwned {
    type Snapshot: Face<Key = UserId>;

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
pub(crate) struct Roster<E: Entry> {
    feed: Feed<E>,
    listing: Listing<E::Snapshot>,
    entries: BTreeMap<UserId, (Position, E)>,
}

impl<E: Entry> Roster<E> {
    pub(crate) fn new(key: StoreKey) -> Self {
        Self {
            feed: Feed::new(Sync::new(key), E::PAGE),
            listing: Listing::new(),
            entries: BTreeMap::new(),
        }
    }

    fn key(&self) -> &StoreKey {
        self.feed.sync.key()
    }

    fn state(&self, cap: usize) -> ListState {
        ListState {
            complete: self.feed.is_complete(),
            full: self.listing.len() >= cap,
            initial: E::FIRST_WINDOW.min(cap),
        }
    }

    /// Puts an entry at a place, or changes the one that is there.
    fn put(&mut self, position: Position, entry: E, cx: &mut Context) {
        let user = entry.user().clone();
        match self.entries.insert(user.clone(), (position, entry)) {
            None => cx.hold_user(&user, self.dependent(&user)),
            Some((old, _)) if old != position => self.listing.remove(old),
            Some(_) => return self.show(&user, cx),
        }
        self.listing.insert(position, user.clone());
        self.show(&user, cx);
    }

    fn remove(&mut self, user: &UserId, cx: &mut Context) {
        if let Some((position, _)) = self.entries.remove(user) {
            self.listing.remove(position);
            cx.release_user(user, &self.dependent(user));
            cx.changed.insert(self.key().clone());
        }
    }

    fn dependent(&self, user: &UserId) -> Dependent {
        Dependent::Item(self.key().clone(), user.clone())
    }

    /// Gives the list the entry as it is now, once its user is known; without a user there is
    /// nothing to show.
    fn show(&mut self, user: &UserId, cx: &mut Context) {
        let Some((position, entry)) = self.entries.get(user) else {
            return;
        };
        match cx.user(user) {
            None => return,
            Some(None) => self.listing.hide(*position),
            Some(Some(user)) => {
                let snapshot = entry.snapshot(Arc::clone(user));
                if self
                    .listing
                    .shown
                    .get(*position)
                    .is_none_or(|shown| **shown != snapshot)
                {
                    self.listing.show(*position, Arc::new(snapshot));
                }
            }
        }
        cx.changed.insert(self.key().clone());
    }

    fn apply(&mut self, event: &ServerEvent, cx: &mut Context) {
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
                self.feed.sync.set_absent(cx);
                self.clear(cx);
            }
        }
    }

    /// Takes up an entry that came by an event, unless it lies behind what is loaded.
    fn add(&mut self, entry: E, cx: &mut Context) {
        // One that is here already came with a page, and is as new as that.
        let old = self.entries.get(entry.user());
        if old.is_some_and(|(position, _)| position.is_at(entry.time())) {
            return;
        }
        let position = self.listing.place(entry.time(), E::NEW_AT);
        let is_behind = match self.listing.last() {
            Some((last, _)) => position > last,
            None => E::NEW_AT == End::Back,
        };
        if is_behind && !self.feed.is_complete() {
            return;
        }
        self.put(position, entry, cx);
        self.trim(cx);
    }

    fn trim(&mut self, cx: &mut Context) {
        while self.listing.len() > cx.limits.window.max(1)
            && let Some((_, user)) = self.listing.last()
        {
            let user = user.clone();
            self.remove(&user, cx);
            self.feed.cursor = Cursor::Unknown;
        }
    }

    fn clear(&mut self, cx: &mut Context) {
        for user in self.listing.keys().cloned().collect::<Vec<_>>() {
            self.remove(&user, cx);
        }
        self.feed.cursor = Cursor::Unknown;
    }

    fn replace(&mut self, mut entries: Vec<E>, cx: &mut Context) {
        entries.sort_by_key(E::time);
        let kept: BTreeSet<&UserId> = entries.iter().map(E::user).collect();
        let gone = self.listing.keys().filter(|user| !kept.contains(user));
        for user in gone.cloned().collect::<Vec<_>>() {
            self.remove(&user, cx);
        }
        let mut before = None;
        for entry in entries {
            let position = match self.entries.get(entry.user()) {
                Some((position, _)) if position.is_at(entry.time()) && before < Some(*position) => {
                    *position
                }
                _ => self.listing.place(entry.time(), End::Back),
            };
            before = Some(position);
            self.put(position, entry, cx);
        }
    }

    fn append(&mut self, entries: Vec<E>, cx: &mut Context) {
        for entry in entries {
            if !self.entries.contains_key(entry.user()) {
                let position = self.listing.place(entry.time(), End::Back);
                self.put(position, entry, cx);
            }
        }
    }

    fn replay(&mut self, cx: &mut Context) {
        for event in self.feed.sync.log().to_vec() {
            self.apply(&event, cx);
        }
    }
}

impl<E: Entry> Store for Roster<E> {
    fn open(&mut self, cx: &mut Context) {
        self.feed.sync.open(cx);
    }

    fn lost(&mut self) {
        self.feed.sync.lost();
    }

    fn close(&mut self, cx: &mut Context) {
        self.feed.sync.close(cx);
        self.clear(cx);
    }

    fn sync(&mut self) -> &mut Sync {
        &mut self.feed.sync
    }

    fn is_wanted(&self) -> bool {
        !self.listing.views.is_empty()
    }

    fn fetch(&mut self, cx: &mut Context) {
        let cap = cx.limits.window.max(1);
        let state = self.state(cap);
        if let Some((mut wanted, loaded)) = self.listing.wants(state) {
            if self.feed.sync.stage == Stage::Unloaded {
                wanted = wanted.max(E::FIRST_LOAD);
            }
            self.feed.fetch(wanted.min(cap), loaded, None::<&()>, cx);
        }
    }

    fn answer(&mut self, answer: Answer<'_>, cx: &mut Context) {
        match self.feed.take_answer(answer, cx) {
            Loaded::Nothing => return,
            Loaded::Absent => return self.clear(cx),
            Loaded::All(entries) => self.replace(entries, cx),
            Loaded::More(entries) => self.append(entries, cx),
        }
        self.replay(cx);
        self.trim(cx);
        let last = self.listing.last().map(|(position, _)| position);
        for view in self.listing.views.values_mut() {
            view.clamp(last, self.feed.is_complete());
        }
        self.feed.sync.clear_log();
        cx.attend_to(self.feed.sync.key());
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut Context) {
        if self.feed.sync.follow_membership(event, cx) {
            return self.clear(cx);
        }
        if self.feed.sync.admit(event, false, cx) {
            self.apply(event, cx);
        }
    }

    fn user_changed(&mut self, dependent: &Dependent, cx: &mut Context) {
        if let Dependent::Item(_, user) = dependent {
            self.show(user, cx);
        }
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.listing.viewers()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut Context) {
        self.listing.add_viewer(viewer);
        cx.attend_to(self.key());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.listing.remove_viewer(viewer)
    }

    fn list(&mut self) -> Option<(&mut dyn List, Growth)> {
        let growth = Growth {
            max: E::PAGE,
            default: E::MORE,
        };
        Some((&mut self.listing, growth))
    }

    fn review(&mut self, cx: &Context, news: &mut Vec<News>) {
        let state = self.state(cx.limits.window.max(1));
        for (viewer, view) in &mut self.listing.views {
            let review = match self.feed.sync.stage {
                Stage::Unloaded => return,
                Stage::Absent => view.see_absence(),
                Stage::Loaded => view.see(&mut self.listing.shown, state),
            };
            news.push(News {
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
