//! Filters of conversations for lists and searches.

mod json;
mod matching;
mod normal;
mod subject;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::{Range, RangeFrom, RangeTo, RangeToInclusive};

use serde::{Deserialize, Serialize};

use crate::model::Access;
use crate::timestamp::Timestamp;

pub use subject::{CustomValues, FilterSubject};

/// A filter of conversations. The default matches all of them.
///
/// Reads and writes the documented JSON: an object of conditions, or `["any", [object, …]]`. `null`
/// matches all conversations. The client sends the [normal form](Self::normalized).
///
/// ```
/// use talk_proto::filter::{ConversationFilter, CustomFilter, SimpleFilter, StringFilter};
///
/// let filter = SimpleFilter::new()
///     .is_unread(true)
///     .custom("category", StringFilter::one_of(["work", "family"]))
///     .custom("archived", CustomFilter::Missing)
///     .created_at(1_700_000_000_000..);
/// let filter = ConversationFilter::from(filter);
/// # let json = r#"{"createdAt":[">=",1700000000000],"custom":{"archived":"!exists",
/// #     "category":["oneOf",["work","family"]]},"isUnread":true}"#;
/// # let json = json.split_whitespace().collect::<String>();
/// # assert_eq!(serde_json::to_string(&filter).unwrap(), json);
/// # assert_eq!(serde_json::from_str::<ConversationFilter>(&json).unwrap(), filter);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConversationFilter {
    /// Matches conversations that meet all conditions of one filter.
    All(SimpleFilter),
    /// Matches conversations that at least one of the filters matches. An empty list matches none.
    Any(Vec<SimpleFilter>),
}

impl Default for ConversationFilter {
    fn default() -> Self {
        Self::All(SimpleFilter::default())
    }
}

impl From<SimpleFilter> for ConversationFilter {
    fn from(filter: SimpleFilter) -> Self {
        Self::All(filter)
    }
}

/// Allows conditions as the argument of an optional filter.
impl From<SimpleFilter> for Option<ConversationFilter> {
    fn from(filter: SimpleFilter) -> Self {
        Some(filter.into())
    }
}

impl FromIterator<SimpleFilter> for ConversationFilter {
    fn from_iter<I: IntoIterator<Item = SimpleFilter>>(filters: I) -> Self {
        Self::Any(filters.into_iter().collect())
    }
}

/// A set of conditions, all of which must be met. The default has no conditions.
// The fields are in the order of their JSON names, because the normal form is written in this
// order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[non_exhaustive]
#[must_use]
pub struct SimpleFilter {
    /// The current user's access to the conversation.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::given"
    )]
    pub access: Option<StringFilter<Access>>,
    /// The creation time.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::given"
    )]
    pub created_at: Option<NumberFilter>,
    /// The custom data, by key.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "json::in_order"
    )]
    pub custom: BTreeMap<String, CustomFilter>,
    /// Set to match conversations that contain a message, clear to match those without.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::given"
    )]
    pub has_messages: Option<bool>,
    /// Set to match conversations with unread messages or marked as unread, clear to match the
    /// others.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::given"
    )]
    pub is_unread: Option<bool>,
    /// The time at which the current user joined.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::given"
    )]
    pub joined_at: Option<NumberFilter>,
    /// The time of the last message, or the time at which the current user joined if there is none.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::given"
    )]
    pub last_activity_at: Option<NumberFilter>,
    /// The title; `None` matches conversations without a title.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::given"
    )]
    pub subject: Option<StringFilter<Option<String>>>,
}

impl SimpleFilter {
    /// Creates a filter without conditions, which matches every conversation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires the current user's access to meet a condition.
    ///
    /// ```
    /// use talk_proto::{filter::{SimpleFilter, StringFilter}, model::Access};
    ///
    /// let writable = SimpleFilter::new().access(StringFilter::Is(Access::ReadWrite));
    /// ```
    pub fn access(mut self, filter: StringFilter<Access>) -> Self {
        self.access = Some(filter);
        self
    }

    /// Requires the creation time, a timestamp or unix milliseconds, to meet a condition.
    pub fn created_at(mut self, filter: impl Into<NumberFilter>) -> Self {
        self.created_at = Some(filter.into());
        self
    }

    /// Requires the value of `key` in the custom data to meet a condition. A second condition for a
    /// key replaces the first.
    ///
    /// ```
    /// use talk_proto::filter::{CustomFilter, SimpleFilter, StringFilter};
    ///
    /// let work = SimpleFilter::new()
    ///     .custom("category", StringFilter::is("work"))
    ///     .custom("archived", CustomFilter::Missing);
    /// ```
    pub fn custom(mut self, key: impl Into<String>, filter: impl Into<CustomFilter>) -> Self {
        self.custom.insert(key.into(), filter.into());
        self
    }

    /// Requires that the conversation contains messages, or that it contains none.
    pub fn has_messages(mut self, has_messages: bool) -> Self {
        self.has_messages = Some(has_messages);
        self
    }

    /// Requires that the conversation is unread, or that it is read.
    pub fn is_unread(mut self, is_unread: bool) -> Self {
        self.is_unread = Some(is_unread);
        self
    }

    /// Requires the time at which the current user joined, a timestamp or unix milliseconds, to
    /// meet a condition.
    pub fn joined_at(mut self, filter: impl Into<NumberFilter>) -> Self {
        self.joined_at = Some(filter.into());
        self
    }

    /// Requires the time of the last activity, a timestamp or unix milliseconds, to meet a
    /// condition.
    pub fn last_activity_at(mut self, filter: impl Into<NumberFilter>) -> Self {
        self.last_activity_at = Some(filter.into());
        self
    }

    /// Requires the title to meet a condition.
    ///
    /// ```
    /// use talk_proto::filter::{SimpleFilter, StringFilter};
    ///
    /// let holidays = SimpleFilter::new().subject(StringFilter::is("Holidays"));
    /// let untitled = SimpleFilter::new().subject(StringFilter::Is(None));
    /// ```
    pub fn subject(mut self, filter: impl Into<StringFilter<Option<String>>>) -> Self {
        self.subject = Some(filter.into());
        self
    }
}

/// A condition on a string or an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StringFilter<T = String> {
    /// `["==", value]`
    Is(T),
    /// `["!=", value]`. An absent value meets the condition.
    IsNot(T),
    /// `["oneOf", [value, …]]`
    OneOf(Vec<T>),
    /// `["!oneOf", [value, …]]`. An absent value meets the condition.
    NoneOf(Vec<T>),
}

/// Constructors for strings. Use the variants for other types.
impl StringFilter {
    /// Requires equality with `value`.
    pub fn is(value: impl Into<String>) -> Self {
        Self::Is(value.into())
    }

    /// Requires a value other than `value`.
    pub fn is_not(value: impl Into<String>) -> Self {
        Self::IsNot(value.into())
    }

    /// Requires equality with one of `values`.
    pub fn one_of<V: Into<String>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }

    /// Requires a value that is not in `values`.
    pub fn none_of<V: Into<String>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::NoneOf(values.into_iter().map(Into::into).collect())
    }
}

impl From<StringFilter> for StringFilter<Option<String>> {
    fn from(filter: StringFilter) -> Self {
        let some = |values: Vec<String>| values.into_iter().map(Some).collect();
        match filter {
            StringFilter::Is(value) => Self::Is(Some(value)),
            StringFilter::IsNot(value) => Self::IsNot(Some(value)),
            StringFilter::OneOf(values) => Self::OneOf(some(values)),
            StringFilter::NoneOf(values) => Self::NoneOf(some(values)),
        }
    }
}

/// A condition on a number; times are in unix milliseconds.
///
/// Ranges of integers and of [`Timestamp`]s convert: `5..9`, `5..`, `..9`, `..=9`.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use talk_proto::{Timestamp, filter::SimpleFilter};
///
/// let yesterday = Timestamp::from(SystemTime::now()) - Duration::from_secs(24 * 60 * 60);
/// let active = SimpleFilter::new().last_activity_at(yesterday..);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NumberFilter {
    /// `[">", n]`
    Above(f64),
    /// `["<", n]`
    Below(f64),
    /// `[">=", n]`. On the wire it is `[">", n − 1]`, also for a fraction.
    AtLeast(f64),
    /// `["<=", n]`. On the wire it is `["<", n + 1]`, also for a fraction.
    AtMost(f64),
    /// `["between", [low, high]]`: from `low`, up to but without `high`.
    Between(f64, f64),
    /// `["!between", [low, high]]`: below `low`, or `high` and above.
    NotBetween(f64, f64),
}

/// Converts ranges of integers and of timestamps.
macro_rules! from_ranges {
    ($($bound:ty: $number:expr;)*) => {
        $(
            impl From<Range<$bound>> for NumberFilter {
                fn from(range: Range<$bound>) -> Self {
                    Self::Between(($number)(range.start), ($number)(range.end))
                }
            }

            impl From<RangeFrom<$bound>> for NumberFilter {
                fn from(range: RangeFrom<$bound>) -> Self {
                    Self::AtLeast(($number)(range.start))
                }
            }

            impl From<RangeTo<$bound>> for NumberFilter {
                fn from(range: RangeTo<$bound>) -> Self {
                    Self::Below(($number)(range.end))
                }
            }

            impl From<RangeToInclusive<$bound>> for NumberFilter {
                fn from(range: RangeToInclusive<$bound>) -> Self {
                    Self::AtMost(($number)(range.end))
                }
            }
        )*
    };
}

from_ranges! {
    i64: |number| number as f64;
    Timestamp: |time: Timestamp| time.as_millis() as f64;
}

/// A condition on one key of custom data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomFilter {
    /// `"exists"`: the key is present, possibly with an empty value.
    Exists,
    /// `"!exists"`: the key is absent.
    Missing,
    /// A condition on the value.
    Value(StringFilter),
}

impl From<StringFilter> for CustomFilter {
    fn from(filter: StringFilter) -> Self {
        Self::Value(filter)
    }
}
