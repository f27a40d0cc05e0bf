//! Evaluation of filters.

use super::{
    ConversationFilter, CustomFilter, FilterSubject, NumberFilter, SimpleFilter, StringFilter,
};
use crate::timestamp::Timestamp;

impl ConversationFilter {
    /// Returns `Some(true)` if the filter matches the conversation, and `None` if too few
    /// attributes are known to decide. The result is always `Some` if all attributes are known.
    ///
    /// ```
    /// use talk_proto::filter::{ConversationFilter, SimpleFilter};
    /// use talk_proto::{Timestamp, model::ConversationSnapshot};
    ///
    /// let (created, joined) = (Timestamp::from_millis(10), Timestamp::from_millis(20));
    /// let lobby = ConversationSnapshot::new("lobby".try_into()?, created, joined);
    /// let unread = ConversationFilter::from(SimpleFilter::new().is_unread(true));
    /// assert_eq!(unread.matches(&(&lobby).into()), Some(false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn matches(&self, subject: &FilterSubject<'_>) -> Option<bool> {
        match self {
            Self::All(filter) => filter.matches(subject),
            Self::Any(filters) => {
                let unwanted = filters
                    .iter()
                    .map(|filter| filter.matches(subject).map(|it| !it));
                all(unwanted).map(|it| !it)
            }
        }
    }
}

impl SimpleFilter {
    /// Returns `Some(true)` if all conditions are met, and `None` if too few attributes are known
    /// to decide.
    ///
    /// ```
    /// use talk_proto::{Timestamp, filter::SimpleFilter, model::ConversationSnapshot};
    ///
    /// let (created, joined) = (Timestamp::from_millis(10), Timestamp::from_millis(20));
    /// let lobby = ConversationSnapshot::new("lobby".try_into()?, created, joined);
    /// assert_eq!(SimpleFilter::new().joined_at(15..).matches(&(&lobby).into()), Some(true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn matches(&self, subject: &FilterSubject<'_>) -> Option<bool> {
        let number = |filter: Option<NumberFilter>, value: Option<Timestamp>| {
            met(filter, value, |filter, value| {
                filter.is_met(value.as_millis() as f64)
            })
        };
        let custom = self.custom.iter().map(|(key, filter)| {
            let value = subject.custom.get(key);
            value.map(|value| filter.is_met(value))
        });
        let others = [
            met(self.access.as_ref(), subject.access, |filter, value| {
                filter.is_met(value)
            }),
            met(self.subject.as_ref(), subject.subject, |filter, value| {
                filter.is_met_by(|operand| operand.as_deref() == value)
            }),
            met(self.is_unread, subject.is_unread, |wanted, value| {
                wanted == value
            }),
            met(self.has_messages, subject.has_messages, |wanted, value| {
                wanted == value
            }),
            number(self.last_activity_at, subject.last_activity_at),
            number(self.created_at, subject.created_at),
            number(self.joined_at, subject.joined_at),
        ];
        all(custom.chain(others))
    }
}

/// Returns the conjunction: `Some(false)` if a condition is false, otherwise `None` if a condition
/// is unknown.
fn all(mut conditions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let all_or_none = conditions.try_fold(Some(true), |all, condition| match condition {
        Some(false) => Err(()),
        Some(true) => Ok(all),
        None => Ok(None),
    });
    all_or_none.unwrap_or(Some(false))
}

/// Evaluates a condition. An absent condition is met.
fn met<F, V>(
    filter: Option<F>,
    value: Option<V>,
    is_met: impl FnOnce(F, V) -> bool,
) -> Option<bool> {
    match (filter, value) {
        (None, _) => Some(true),
        (Some(filter), Some(value)) => Some(is_met(filter, value)),
        (Some(_), None) => None,
    }
}

impl<T: PartialEq> StringFilter<T> {
    pub(super) fn is_met(&self, value: &T) -> bool {
        self.is_met_by(|operand| operand == value)
    }
}

impl<T> StringFilter<T> {
    /// Returns `true` if the condition is met. `is` returns `true` if the value equals the operand.
    fn is_met_by(&self, is: impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Is(operand) => is(operand),
            Self::IsNot(operand) => !is(operand),
            Self::OneOf(operands) => operands.iter().any(is),
            Self::NoneOf(operands) => !operands.iter().any(is),
        }
    }
}

impl CustomFilter {
    fn is_met(&self, value: Option<&str>) -> bool {
        match self {
            Self::Exists => value.is_some(),
            Self::Missing => value.is_none(),
            Self::Value(filter) => filter.is_met_by(|operand| Some(operand.as_str()) == value),
        }
    }
}

impl NumberFilter {
    pub(super) fn is_met(self, value: f64) -> bool {
        match self {
            Self::Above(n) => value > n,
            Self::Below(n) => value < n,
            // The server sees the normal form, in which these conditions are `> n - 1` and `< n +
            // 1`.
            Self::AtLeast(n) => value > n - 1.0,
            Self::AtMost(n) => value < n + 1.0,
            Self::Between(low, high) => low <= value && value < high,
            Self::NotBetween(low, high) => !(low <= value && value < high),
        }
    }
}
