//! The age of a window.

use std::num::NonZeroI64;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::timestamp::Timestamp;

/// The source of a window. Serialises as `{"cached": MS}` or `"live"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// An earlier session received the window. The server has not confirmed it.
    Cached {
        /// The time at which the earlier session received the last change.
        at: Timestamp,
    },
    /// This session has received the window.
    #[default]
    Live,
}

impl Freshness {
    /// Returns `true` for a window from the cache.
    pub fn is_cached(self) -> bool {
        self != Self::Live
    }
}

impl Serialize for Freshness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Live => serializer.serialize_str("live"),
            Self::Cached { at } => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("cached", at)?;
                map.end()
            }
        }
    }
}

/// The milliseconds of a cached window's time, or `None` for a live one. One word wide, because
/// windows are moved with each event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CachedAt(Option<NonZeroI64>);

impl CachedAt {
    /// Creates the time of a cached window. The time 0 is moved to 1 ms, and so are earlier ones.
    pub(crate) fn new(at: Timestamp) -> Self {
        Self(NonZeroI64::new(at.as_millis().max(1)))
    }

    pub(crate) fn freshness(self) -> Freshness {
        match self.0 {
            None => Freshness::Live,
            Some(millis) => Freshness::Cached {
                at: Timestamp::from_millis(millis.get()),
            },
        }
    }
}
