//! Lists: `{"data": […]}`, and their next pages.

use serde::Serialize;

use super::answer::invalid;
use super::call::Query;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, reply};

/// The default length of a page, as a third party observed it.
const DEFAULT_LIMIT: usize = 10;

/// The maximum length of a page (our choice). The service allows 30 conversations, but older
/// scripts ask for 100 and would lose items silently.
const MAX_LIMIT: usize = 100;

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// The place of a page in a list.
#[derive(Debug)]
pub(super) struct PageQuery<'a> {
    pub(super) limit: usize,
    /// The ID of the last item of the previous page.
    pub(super) starting_after: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Data<T> {
    data: Vec<T>,
}

impl<'a> PageQuery<'a> {
    pub(super) fn read(query: &'a Query) -> Result<Self, Refusal> {
        let limit = match query.get("limit") {
            None => DEFAULT_LIMIT,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| {
                    let reason = format!("A limit is a number from 1 to {MAX_LIMIT}.");
                    invalid("INVALID_LIMIT", reason)
                })?,
        };
        Ok(Self {
            limit,
            starting_after: query.get("startingAfter"),
        })
    }

    /// Returns the key of the last item of the previous page. An unknown ID is refused (our
    /// choice).
    pub(super) fn after<K>(
        &self,
        key_of: impl FnOnce(&str) -> Option<K>,
    ) -> Result<Option<K>, Refusal> {
        let key = |id| {
            key_of(id).ok_or_else(|| {
                invalid(
                    "INVALID_STARTING_AFTER",
                    "The list has no item with the id in `startingAfter`.",
                )
            })
        };
        self.starting_after.map(key).transpose()
    }

    /// Sorts the keys, and returns the page after the key `after`. A key holds the ID of its item,
    /// so that items with equal sort values have a fixed order.
    pub(super) fn take<K: Ord>(
        &self,
        mut keys: Vec<K>,
        order: Order,
        after: Option<&K>,
    ) -> impl Iterator<Item = K> + use<K> {
        keys.retain(|key| {
            after.is_none_or(|after| match order {
                Order::Ascending => key > after,
                Order::Descending => key < after,
            })
        });
        keys.sort_unstable();
        if order == Order::Descending {
            keys.reverse();
        }
        keys.into_iter().take(self.limit)
    }
}

/// Returns a list.
pub(super) fn data<T: Serialize>(items: impl Iterator<Item = T>) -> Reply {
    let data = items.collect();
    reply(&Data { data })
}
