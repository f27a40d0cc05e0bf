//! The normal form of filters, in which they are sent. Most equivalent filters have the same normal
//! form.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{ConversationFilter, CustomFilter, NumberFilter, SimpleFilter, StringFilter};
use crate::model::Access;

/// The normal form of a condition.
enum Normal<T> {
    /// Every conversation meets it.
    Always,
    /// No conversation meets it.
    Never,
    When(T),
}

impl ConversationFilter {
    /// Returns the normal form, which is sent to the server. It matches the same conversations as
    /// this filter, because times from a server are integers and access is `Read` or `ReadWrite`.
    /// Evaluate the normal form, like the server, instead of the original filter.
    ///
    /// ```
    /// use talk_proto::filter::{ConversationFilter, SimpleFilter, StringFilter};
    ///
    /// let filter = |values: [&str; 3]| {
    ///     let filter = SimpleFilter::new().subject(StringFilter::one_of(values));
    ///     ConversationFilter::from(filter).normalized()
    /// };
    /// assert_eq!(filter(["b", "a", "b"]), filter(["a", "a", "b"]));
    /// ```
    pub fn normalized(&self) -> Self {
        let filters = match self {
            Self::All(filter) => {
                return filter.normalized().map_or(Self::Any(Vec::new()), Self::All);
            }
            Self::Any(filters) => filters.iter().filter_map(SimpleFilter::normalized),
        };
        let text = |filter: &SimpleFilter| serde_json::to_string(filter).unwrap_or_default();
        let mut filters: Vec<_> = filters.map(|filter| (text(&filter), filter)).collect();
        if filters
            .iter()
            .any(|(_, filter)| *filter == SimpleFilter::default())
        {
            return Self::default();
        }
        filters.sort_by(|(a, _), (b, _)| by_utf16(a, b));
        filters.dedup_by(|(a, _), (b, _)| a == b);
        let mut filters: Vec<_> = filters.into_iter().map(|(_, filter)| filter).collect();
        match filters.pop() {
            Some(only) if filters.is_empty() => Self::All(only),
            last => {
                filters.extend(last);
                Self::Any(filters)
            }
        }
    }
}

impl SimpleFilter {
    /// Returns the normal form, or `None` if the filter matches no conversation.
    fn normalized(&self) -> Option<Self> {
        let mut custom = Vec::new();
        for (key, filter) in &self.custom {
            let filter = match filter {
                CustomFilter::Exists | CustomFilter::Missing => Normal::When(filter.clone()),
                CustomFilter::Value(filter) => texts(filter, |text| text).map(CustomFilter::Value),
            };
            custom.extend(filter.into_condition()?.map(|filter| (key.clone(), filter)));
        }
        let number =
            |filter: Option<NumberFilter>| condition(filter.as_ref(), NumberFilter::normal);
        let subject = |filter: &StringFilter<Option<String>>| {
            texts(filter, |text| text.as_deref().unwrap_or("null"))
        };
        Some(Self {
            access: condition(self.access.as_ref(), access)?,
            created_at: number(self.created_at)?,
            custom: custom.into_iter().collect(),
            has_messages: self.has_messages,
            is_unread: self.is_unread,
            joined_at: number(self.joined_at)?,
            last_activity_at: number(self.last_activity_at)?,
            subject: condition(self.subject.as_ref(), subject)?,
        })
    }
}

/// Returns the normal form of an optional condition, or `None` if it is never met.
fn condition<T, U>(filter: Option<&T>, normal: impl Fn(&T) -> Normal<U>) -> Option<Option<U>> {
    filter.map_or(Some(None), |filter| normal(filter).into_condition())
}

impl<T> Normal<T> {
    fn into_condition(self) -> Option<Option<T>> {
        match self {
            Self::Always => Some(None),
            Self::Never => None,
            Self::When(filter) => Some(Some(filter)),
        }
    }

    fn map<U>(self, f: impl FnOnce(T) -> U) -> Normal<U> {
        match self {
            Self::Always => Normal::Always,
            Self::Never => Normal::Never,
            Self::When(filter) => Normal::When(f(filter)),
        }
    }
}

/// Returns the normal form of a condition on access, which has only two values.
fn access(filter: &StringFilter<Access>) -> Normal<StringFilter<Access>> {
    match (
        filter.is_met(&Access::Read),
        filter.is_met(&Access::ReadWrite),
    ) {
        (true, true) => Normal::Always,
        (true, false) => Normal::When(StringFilter::Is(Access::Read)),
        (false, true) => Normal::When(StringFilter::Is(Access::ReadWrite)),
        (false, false) => Normal::Never,
    }
}

/// Sorts by the string that `text` returns. Equal strings keep their order.
fn texts<T: Clone + Ord>(
    filter: &StringFilter<T>,
    text: fn(&T) -> &str,
) -> Normal<StringFilter<T>> {
    let distinct = |values: &[T]| {
        let mut seen = BTreeSet::new();
        let mut values: Vec<_> = values
            .iter()
            .filter(|value| seen.insert(*value))
            .cloned()
            .collect();
        values.sort_by(|a, b| by_utf16(text(a), text(b)));
        values
    };
    match filter {
        StringFilter::Is(_) | StringFilter::IsNot(_) => Normal::When(filter.clone()),
        StringFilter::OneOf(values) => match distinct(values).as_slice() {
            [] => Normal::Never,
            [only] => Normal::When(StringFilter::Is(only.clone())),
            values => Normal::When(StringFilter::OneOf(values.to_vec())),
        },
        StringFilter::NoneOf(values) => match distinct(values).as_slice() {
            [] => Normal::Always,
            [only] => Normal::When(StringFilter::IsNot(only.clone())),
            values => Normal::When(StringFilter::NoneOf(values.to_vec())),
        },
    }
}

impl NumberFilter {
    fn normal(&self) -> Normal<Self> {
        match *self {
            Self::Above(n) | Self::Below(n) | Self::AtLeast(n) | Self::AtMost(n)
                if !n.is_finite() =>
            {
                // JSON has no such numbers. The condition has the same result for every time, such
                // as 0.
                if self.is_met(0.0) {
                    Normal::Always
                } else {
                    Normal::Never
                }
            }
            Self::Above(_) | Self::Below(_) => Normal::When(*self),
            Self::AtLeast(n) => Normal::When(Self::Above(n - 1.0)),
            Self::AtMost(n) => Normal::When(Self::Below(n + 1.0)),
            Self::Between(low, high) | Self::NotBetween(low, high) if is_empty(low, high) => {
                if self.is_met(low) {
                    Normal::Always
                } else {
                    Normal::Never
                }
            }
            Self::Between(low, high) => match (low.is_finite(), high.is_finite()) {
                (true, true) => Normal::When(*self),
                (true, false) => Self::AtLeast(low).normal(),
                (false, _) => Self::Below(high).normal(),
            },
            Self::NotBetween(low, high) => match (low.is_finite(), high.is_finite()) {
                (true, true) => Normal::When(*self),
                (true, false) => Self::Below(low).normal(),
                (false, _) => Self::AtLeast(high).normal(),
            },
        }
    }
}

/// Returns `true` if no number is at least `low` and below `high`, also if one of them is NaN.
fn is_empty(low: f64, high: f64) -> bool {
    !matches!(low.partial_cmp(&high), Some(Ordering::Less))
}

/// Compares by UTF-16 code units, as JavaScript does. Rust compares by bytes of UTF-8.
pub(super) fn by_utf16(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Compares keys in the order in which a JavaScript object with sorted keys lists them: array
/// indices first, by value.
pub(super) fn by_object_key(a: &str, b: &str) -> Ordering {
    match (index(a), index(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => by_utf16(a, b),
    }
}

/// Returns the value of a key that is an integer below 2³² − 1 in canonical form.
fn index(key: &str) -> Option<u32> {
    let index = key.parse().ok().filter(|&index| index != u32::MAX)?;
    let is_usual = key == "0" || !key.starts_with(['0', '+']);
    is_usual.then_some(index)
}
