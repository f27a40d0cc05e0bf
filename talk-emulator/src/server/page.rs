//! Lists that are read page by page.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::Refusal;

/// How many items a page has: as documented for each list.
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

/// What a list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageRequest {
    pub(super) limit: Option<Value>,
    pub(super) cursor: Option<String>,
    pub(super) filter: Option<Value>,
}

/// One page.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) cursor: Option<String>,
}

/// Where a page ended. It names a moment, not an item, so that it survives the item.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The time that orders the list, of the last item given.
    #[serde(rename = "a")]
    pub(super) after: u64,
    /// What narrowed the first page, and so narrows the next.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<Value>,
    /// What was searched for.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) search: Option<String>,
}

impl Cursor {
    /// The end of a page of everything.
    pub(super) fn at(after: u64) -> Self {
        Self {
            after,
            filter: None,
            search: None,
        }
    }

    pub(super) fn encode(&self) -> String {
        // Strings, numbers and a JSON value: this does not fail.
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    pub(super) fn decode(text: &str) -> Result<Self, Refusal> {
        BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| {
                Refusal::invalid("INVALID_CURSOR", "This cursor is none that this list gave.")
            })
    }
}

impl PageRequest {
    /// How many items to give: at least 1, and never more than documented.
    pub(super) fn size(&self, size: PageSize) -> Result<usize, Refusal> {
        let Some(limit) = &self.limit else {
            return Ok(size.default as usize);
        };
        match limit.as_u64() {
            Some(limit) if limit >= 1 => Ok(limit.min(size.max) as usize),
            _ => Err(Refusal::invalid(
                "INVALID_LIMIT",
                "A limit is a whole number of at least 1.",
            )),
        }
    }

    /// Where the page before this one ended.
    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Refusal> {
        self.cursor.as_deref().map(Cursor::decode).transpose()
    }
}

impl<T> Page<T> {
    /// The first `size` of `items`, each with the time that orders the list; if there are more, with
    /// the cursor that `end` makes of the last one's time.
    pub(super) fn collect(
        items: impl IntoIterator<Item = (u64, T)>,
        size: usize,
        end: impl FnOnce(u64) -> Cursor,
    ) -> Self {
        let mut items = items.into_iter();
        let mut last = None;
        let data = items.by_ref().take(size).map(|(at, item)| {
            last = Some(at);
            item
        });
        let data: Vec<T> = data.collect();
        let has_more = items.next().is_some();
        let cursor = last.filter(|_| has_more).map(|after| end(after).encode());
        Self { data, cursor }
    }
}
