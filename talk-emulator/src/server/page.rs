//! Paged lists.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::message::Place;
use super::refusal::Refusal;

/// The maximum size of a page with more than one item, in bytes. Clients accept frames of 16 MiB.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The default and maximum page size of a list, as documented.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSize {
    pub(super) default: u64,
    pub(super) max: u64,
}

pub(super) const CONVERSATIONS: PageSize = PageSize {
    default: 20,
    max: 30,
};
pub(super) const MESSAGES: PageSize = PageSize {
    default: 30,
    max: 100,
};
pub(super) const PARTICIPANTS: PageSize = PageSize {
    default: 10,
    max: 50,
};
pub(super) const SEARCH: PageSize = PageSize {
    default: 10,
    max: 50,
};
pub(super) const REACTIONS: PageSize = PageSize {
    default: 10,
    max: 100,
};

/// The parameters of a page request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageRequest {
    pub(super) limit: Option<Value>,
    pub(super) cursor: Option<String>,
    pub(super) filter: Option<Value>,
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    pub(super) data: Vec<Box<RawValue>>,
    pub(super) cursor: Option<String>,
}

/// The place of an item in a list. It stays valid if the item is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListPlace {
    /// The time by which the list is sorted.
    #[serde(rename = "a")]
    pub(super) at: u64,
    /// The order among messages with equal times.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    order: Option<u64>,
    /// The ID that orders conversations with equal times.
    #[serde(rename = "i", default, skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
}

/// The end of a page.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The place of the last item.
    #[serde(flatten)]
    pub(super) after: ListPlace,
    /// The filter of the first page, applied to the next pages too.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<Value>,
    /// The search string.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) search: Option<String>,
}

impl ListPlace {
    /// Returns the place of a conversation.
    pub(super) fn of_conversation(at: u64, id: &str) -> Self {
        Self {
            at,
            order: None,
            id: id.to_owned(),
        }
    }

    /// Returns the place of a message in a list of several conversations.
    pub(super) fn of_message(place: Place, conversation: &str) -> Self {
        Self {
            id: conversation.to_owned(),
            ..place.into()
        }
    }

    /// Returns the place as that of a message.
    pub(super) fn place(&self) -> Place {
        Place {
            at: self.at,
            order: self.order.unwrap_or(0),
        }
    }
}

impl From<u64> for ListPlace {
    fn from(at: u64) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }
}

impl From<Place> for ListPlace {
    fn from(Place { at, order }: Place) -> Self {
        Self {
            at,
            order: (order > 0).then_some(order),
            id: String::new(),
        }
    }
}

impl Cursor {
    /// Creates a cursor without filter and search string.
    pub(super) fn at(after: ListPlace) -> Self {
        Self {
            after,
            filter: None,
            search: None,
        }
    }

    pub(super) fn encode(&self) -> String {
        // Infallible: the cursor holds strings, numbers and a JSON value.
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    pub(super) fn decode(text: &str) -> Result<Self, Refusal> {
        BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| Refusal::invalid("INVALID_CURSOR", "This cursor is not from this list."))
    }
}

impl PageRequest {
    /// Returns the number of items: at least 1, at most the documented maximum.
    pub(super) fn size(&self, size: PageSize) -> Result<usize, Refusal> {
        let Some(limit) = &self.limit else {
            return Ok(size.default as usize);
        };
        // A number above the range of integers is read as a float.
        match (limit.as_u64(), limit.as_f64()) {
            (Some(limit), _) if limit >= 1 => Ok(limit.min(size.max) as usize),
            (None, Some(limit)) if limit >= 1.0 && limit.fract() == 0.0 => {
                Ok(size.max.min(limit as u64) as usize)
            }
            _ => Err(Refusal::invalid(
                "INVALID_LIMIT",
                "A limit is a whole number of at least 1.",
            )),
        }
    }

    /// Returns the end of the previous page.
    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Refusal> {
        self.cursor.as_deref().map(Cursor::decode).transpose()
    }
}

impl Page {
    /// Collects the first `size` items, each given with its place, but not more than a client
    /// accepts in a frame. If more follow, the page has the cursor that `end` returns for the last
    /// place.
    pub(super) fn collect<P: Into<ListPlace>, T: Serialize>(
        items: impl IntoIterator<Item = (P, T)>,
        size: usize,
        end: impl FnOnce(ListPlace) -> Cursor,
    ) -> Self {
        let mut data = Vec::new();
        let mut bytes = 0;
        let mut last = None;
        for (at, item) in items {
            // Infallible: an item has string keys and finite numbers.
            let Ok(json) = to_raw_value(&item) else {
                continue;
            };
            bytes += json.get().len();
            let is_full = data.len() == size || (bytes > MAX_BYTES && !data.is_empty());
            if is_full {
                let cursor = last.map(|last: P| end(last.into()).encode());
                return Self { data, cursor };
            }
            data.push(json);
            last = Some(at);
        }
        Self { data, cursor: None }
    }
}
