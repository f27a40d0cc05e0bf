//! Recognition of repeated events.

use std::collections::{BTreeSet, VecDeque};

use super::event::Event;

/// The IDs of the latest events, which recognise a repetition.
///
/// They are in memory. A back end that must not handle an event twice over a restart stores
/// [`Event::id`] with the effects of the event.
///
/// ```
/// # fn receive(event: &talk_rest::webhook::Event) {
/// use talk_rest::webhook::SeenEvents;
///
/// let mut seen = SeenEvents::new(10_000);
/// if seen.insert(event) {
///     println!("{event}");
/// }
/// assert!(!seen.insert(event) || event.id.is_none());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SeenEvents {
    capacity: usize,
    ids: BTreeSet<String>,
    order: VecDeque<String>,
}

impl SeenEvents {
    /// Creates a memory of up to `capacity` events, but at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            ids: BTreeSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Returns `true` if the event was remembered.
    #[must_use]
    pub fn contains(&self, event: &Event) -> bool {
        event.id.as_ref().is_some_and(|id| self.ids.contains(id))
    }

    /// Returns `true` if the event is new, and remembers it. An event without an ID is always new.
    pub fn insert(&mut self, event: &Event) -> bool {
        let Some(id) = &event.id else {
            return true;
        };
        if !self.ids.insert(id.clone()) {
            return false;
        }
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.order.push_back(id.clone());
        true
    }
}
