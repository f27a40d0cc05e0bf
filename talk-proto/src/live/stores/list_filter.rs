//! The filter of a conversation list.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};

use crate::filter::ConversationFilter;
use crate::model::ConversationSnapshot;
use crate::wire::ServerEvent;

/// The filter of a list in its normal form, so that lists with equivalent filters share a store.
#[derive(Clone)]
pub(crate) struct ListFilter(Arc<Inner>);

struct Inner {
    filter: ConversationFilter,
    json: Box<RawValue>,
}

impl ListFilter {
    pub(crate) fn new(filter: Option<ConversationFilter>) -> Self {
        let filter = filter.unwrap_or_default().normalized();
        // Serialisation cannot fail, because a filter has string keys and plain values.
        let json = to_raw_value(&filter).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self(Arc::new(Inner { filter, json }))
    }

    /// Returns the normal form as sent to the server.
    pub(crate) fn json(&self) -> &RawValue {
        &self.0.json
    }

    pub(crate) fn matches(&self, side: &ConversationSnapshot) -> bool {
        self.0.filter.matches(&side.into()) == Some(true)
    }

    /// Returns `true` if a conversation may match after this event. Its other attributes are
    /// unknown.
    pub(crate) fn may_match(&self, event: &ServerEvent) -> bool {
        self.match_change(event) != Some(false)
    }

    /// Returns `true` if every conversation matches after this event. Its other attributes are
    /// irrelevant.
    pub(crate) fn matches_change(&self, event: &ServerEvent) -> bool {
        self.match_change(event) == Some(true)
    }

    fn match_change(&self, event: &ServerEvent) -> Option<bool> {
        let filter = &self.0.filter;
        match event {
            ServerEvent::SideEdited { diff, .. } => filter.matches(&diff.into()),
            ServerEvent::ConversationEdited { diff, .. } => filter.matches(&diff.into()),
            ServerEvent::ParticipantEdited { diff, .. } => filter.matches(&diff.into()),
            _ => None,
        }
    }

    /// Returns `true` if the filter depends on an attribute that the event changes.
    pub(crate) fn mentions(&self, event: &ServerEvent) -> bool {
        let filters = match &self.0.filter {
            ConversationFilter::All(filter) => std::slice::from_ref(filter),
            ConversationFilter::Any(filters) => filters,
        };
        filters.iter().any(|filter| match event {
            ServerEvent::SideEdited { diff, .. } => {
                let by_activity =
                    filter.last_activity_at.is_some() || filter.has_messages.is_some();
                diff.is_unread.is_some() && filter.is_unread.is_some()
                    || diff.last_message_at.is_some() && by_activity
            }
            ServerEvent::ConversationEdited { diff, .. } => {
                !diff.subject.is_keep() && filter.subject.is_some()
                    || !diff.custom.is_keep() && !filter.custom.is_empty()
            }
            ServerEvent::ParticipantEdited { diff, .. } => {
                !diff.access.is_keep() && filter.access.is_some()
            }
            _ => true,
        })
    }
}

impl PartialEq for ListFilter {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ListFilter {}

impl PartialOrd for ListFilter {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ListFilter {
    fn cmp(&self, other: &Self) -> Ordering {
        self.json().get().cmp(other.json().get())
    }
}

impl Hash for ListFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.json().get().hash(state);
    }
}

impl fmt::Debug for ListFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.json().get())
    }
}
