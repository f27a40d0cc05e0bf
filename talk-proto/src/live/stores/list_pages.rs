//! The effect of pages on the items of a list.

use std::collections::BTreeSet;

use super::paged_list::ListStore;
use crate::changes::RemovalReason;
use crate::live::list::items::Position;
use crate::live::list::ordered_list::TieBreak;
use crate::live::store_cx::StoreCx;
use crate::live::sync::paginator::Cursor;

/// The changes of a list for which the kind of its items makes no difference.
pub(crate) trait ListPages: ListStore {
    /// Applies the event log to a page. Returns the sort key up to which the page determines the
    /// list. Events can move its items beyond that.
    fn update_page(&mut self, page: &mut Vec<Self::Raw>, cx: &mut StoreCx) -> i64 {
        let end = match self.paged().pages.is_complete() {
            true => i64::MAX,
            false => page.iter().map(Self::time_of).max().unwrap_or(i64::MIN),
        };
        self.prepare_page(page, cx);
        end
    }

    /// Replaces the list up to `end`, keeping the allocations and positions of unchanged items. If
    /// a rest follows, the items behind the page stay as they are.
    fn reset(&mut self, mut page: Vec<Self::Raw>, end: i64, cx: &mut StoreCx) {
        page.sort_by_key(Self::time_of);
        let has_rest = self.paged().pages.has_rest();
        let kept: BTreeSet<_> = page.iter().map(Self::key_of).collect();
        let (mut gone, mut outdated) = (Vec::new(), BTreeSet::new());
        let paged = self.paged();
        for key in paged.items.keys().filter(|key| !kept.contains(key)) {
            let reason = match self.position_of(key) {
                // Viewers must not wait for the nested data of an item that was never visible.
                Some(p)
                    if has_rest && p.time >= end && !paged.items.visible.waiting.contains(&p) =>
                {
                    outdated.insert(p);
                    continue;
                }
                Some(position) if position.time > end => RemovalReason::Evicted,
                _ => Self::GONE,
            };
            gone.push((key.clone(), reason));
        }
        self.paged_mut().items.outdated = outdated;
        self.begin_reset(cx);
        self.remove_gone(gone, cx);
        let (mut before, mut frontier) = (None, None);
        for raw in page {
            let time = Self::time_of(&raw);
            let position = match self.position_of(Self::key_of(&raw)) {
                Some(old) if old.is_at(time) && before < Some(old) => old,
                // The page contains the item twice.
                Some(old) if before == Some(old) => continue,
                _ => self.paged_mut().items.allocate(time, TieBreak::Last),
            };
            before = Some(position);
            if time <= end {
                frontier = before;
            }
            self.put(position, raw, cx);
        }
        if !has_rest {
            self.evict_from(Position::last_at(end), cx);
        } else if let Some(last) = frontier {
            let paged = self.paged_mut();
            paged.frontier = last;
            paged.edge = paged.edge.max(last);
        }
    }

    /// Replaces outdated items by a page of the rest, which determines the list up to `end`. Items
    /// that are current keep their state.
    fn replace(&mut self, mut page: Vec<Self::Raw>, end: i64, is_last: bool, cx: &mut StoreCx) {
        page.sort_by_key(Self::time_of);
        let kept: BTreeSet<_> = page.iter().map(Self::key_of).collect();
        let items = &self.paged().items;
        let mut gone = Vec::new();
        // Not all outdated items, because every page comes here.
        let outdated = items.outdated.iter();
        for position in outdated.take_while(|it| is_last || it.is_before(end)) {
            if let Some(key) = items.key_at(*position)
                && !kept.contains(key)
            {
                let reason = match position.time > end {
                    true => RemovalReason::Evicted,
                    false => Self::GONE,
                };
                gone.push((key.clone(), reason));
            }
        }
        self.remove_gone(gone, cx);
        let mut frontier = self.paged().frontier;
        for raw in page {
            let time = Self::time_of(&raw);
            let old = self.position_of(Self::key_of(&raw));
            let items = &mut self.paged_mut().items;
            let position = match old {
                Some(old) if !items.outdated.remove(&old) => old,
                Some(old) if old.is_at(time) && frontier < old => {
                    self.put(old, raw, cx);
                    old
                }
                _ => {
                    let position = items.allocate(time, TieBreak::Last);
                    self.put(position, raw, cx);
                    position
                }
            };
            if position.time <= end {
                frontier = frontier.max(position);
            }
        }
        let paged = self.paged_mut();
        paged.frontier = frontier;
        paged.edge = paged.edge.max(frontier);
        if is_last {
            paged.items.outdated.clear();
            if !paged.pages.is_complete() {
                self.evict_from(frontier, cx);
            }
        }
    }

    /// Drops the rest as if it did not exist any more.
    fn drop_rest(&mut self, first: &[Self::Raw], cx: &mut StoreCx) {
        let end = first.last().map_or(i64::MIN, Self::time_of);
        if self.paged().pages.has_rest() {
            self.paged_mut().pages.end_rest();
            while let Some((position, key)) = self.paged().items.last()
                && position.time > end
            {
                let key = key.clone();
                self.remove(&key, Self::GONE, cx);
            }
        }
    }

    /// Evicts the items behind a position.
    fn evict_from(&mut self, end: Position, cx: &mut StoreCx) {
        while let Some((position, key)) = self.paged().items.last()
            && position > end
        {
            let key = key.clone();
            self.evict(&key, cx);
        }
    }

    /// Adds the items of a page that are not in the list, up to `end`.
    fn append(&mut self, page: Vec<Self::Raw>, end: i64, cx: &mut StoreCx) {
        for raw in page {
            if self.position_of(Self::key_of(&raw)).is_none() {
                let time = Self::time_of(&raw);
                let position = self.paged_mut().items.allocate(time, TieBreak::Last);
                self.put(position, raw, cx);
            }
        }
        // A page without readable items determines nothing.
        let end = Position::last_at(end).max(self.paged().edge);
        self.evict_from(end, cx);
    }

    /// Removes the last items above the cap.
    fn trim(&mut self, cx: &mut StoreCx) {
        let cap = self.cap(cx).max(self.outdated_len());
        while self.paged().items.len() > cap
            && let Some((position, key)) = self.paged().items.last()
        {
            let key = key.clone();
            self.evict(&key, cx);
            let paged = self.paged_mut();
            let has_rest = paged.pages.has_rest();
            if !has_rest || position <= paged.frontier {
                paged.pages.cursor = Cursor::Unknown;
                if has_rest {
                    self.cancel_rest(cx);
                }
            }
            let paged = self.paged_mut();
            paged.set_edge();
            // The window of a viewer that had the whole list now ends with the last item.
            paged.clamp_views(false);
        }
    }

    /// Ends the load of the rest, because the first items fill the list.
    fn cancel_rest(&mut self, cx: &mut StoreCx) {
        let has_other_fetches = self.has_other_fetches();
        let paged = self.paged_mut();
        paged.pages.end_rest();
        paged.pages.sync.cancel_load(cx);
        if !has_other_fetches {
            paged.pages.sync.clear_log();
        }
        let items = &paged.items;
        let outdated = items.outdated.iter().filter_map(|at| items.key_at(*at));
        for key in outdated.cloned().collect::<Vec<_>>() {
            self.remove(&key, RemovalReason::Evicted, cx);
        }
        self.refresh_others();
    }
}

impl<L: ListStore> ListPages for L {}
