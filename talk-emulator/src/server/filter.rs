//! Conversation filters in their wire form.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::conversation::{Access, SideView};
use super::refusal::Refusal;

/// A filter for a list of conversations.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Filter {
    /// `["any", [conditions, …]]`: matches if any of the conditions match.
    Any(AnyTag, Vec<Conditions>),
    /// Matches if all of these conditions match.
    All(Conditions),
}

#[derive(Debug, Deserialize)]
pub(super) enum AnyTag {
    #[serde(rename = "any")]
    Any,
}

/// Conditions on the members of a conversation. An absent condition always matches.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Conditions {
    access: Option<Condition<Access>>,
    custom: BTreeMap<String, CustomCondition>,
    is_unread: Option<bool>,
    has_messages: Option<bool>,
    subject: Option<Condition<Option<String>>>,
    last_activity_at: Option<NumberCondition>,
    created_at: Option<NumberCondition>,
    joined_at: Option<NumberCondition>,
}

/// An equality or membership condition.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Condition<T> {
    One(Equality, T),
    Many(Membership, Vec<T>),
}

#[derive(Debug, Deserialize)]
enum Equality {
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
}

#[derive(Debug, Deserialize)]
enum Membership {
    #[serde(rename = "oneOf")]
    OneOf,
    #[serde(rename = "!oneOf")]
    NotOneOf,
}

/// A condition on one key of custom data.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CustomCondition {
    Presence(Presence),
    Text(Condition<String>),
}

#[derive(Debug, Deserialize)]
enum Presence {
    #[serde(rename = "exists")]
    Exists,
    #[serde(rename = "!exists")]
    NotExists,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NumberCondition {
    Compared(Comparison, f64),
    Within(Range, (f64, f64)),
}

#[derive(Debug, Deserialize)]
enum Comparison {
    #[serde(rename = ">")]
    Above,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "<=")]
    AtMost,
}

/// A half-open range: the first number is included, the second is not.
#[derive(Debug, Deserialize)]
enum Range {
    #[serde(rename = "between")]
    Between,
    #[serde(rename = "!between")]
    NotBetween,
}

impl Filter {
    /// Reads a filter. Null matches everything.
    pub(super) fn read(filter: Option<&Value>) -> Result<Self, Refusal> {
        match filter {
            None | Some(Value::Null) => Ok(Self::All(Conditions::default())),
            Some(filter) => Self::deserialize(filter).map_err(|_| {
                Refusal::invalid("INVALID_FILTER", "This is no filter of conversations.")
            }),
        }
    }

    pub(super) fn matches(&self, side: &SideView<'_>) -> bool {
        self.matches_with(side, Some(side.access))
    }

    /// Returns `true` if the filter matches the side of a user with this access, if any.
    pub(super) fn matches_with(&self, side: &SideView<'_>, access: Option<Access>) -> bool {
        let mut conditions = match self {
            Self::Any(AnyTag::Any, alternatives) => alternatives.iter(),
            Self::All(conditions) => std::slice::from_ref(conditions).iter(),
        };
        conditions.any(|it| it.match_side(side, access))
    }
}

impl Conditions {
    fn match_side(&self, side: &SideView<'_>, access: Option<Access>) -> bool {
        let last_activity = side.state.last_message_at;
        holds(self.access.as_ref(), |it| it.matches(access.as_ref()))
            && holds(self.subject.as_ref(), |it| {
                it.matches(Some(&side.subject.map(str::to_owned)))
            })
            && holds(self.is_unread.as_ref(), |it| *it == side.state.is_unread)
            && holds(self.has_messages.as_ref(), |it| {
                *it == (last_activity != side.joined_at)
            })
            && holds(self.last_activity_at.as_ref(), |it| {
                it.matches(last_activity)
            })
            && holds(self.created_at.as_ref(), |it| it.matches(side.created_at))
            && holds(self.joined_at.as_ref(), |it| it.matches(side.joined_at))
            && self
                .custom
                .iter()
                .all(|(key, it)| it.matches(side.custom.get(key)))
    }
}

fn holds<T>(condition: Option<&T>, matches: impl FnOnce(&T) -> bool) -> bool {
    condition.is_none_or(matches)
}

impl<T: PartialEq> Condition<T> {
    /// Returns `true` if the condition is met. An absent value equals no operand.
    fn matches(&self, value: Option<&T>) -> bool {
        match self {
            Self::One(Equality::Equal, operand) => value == Some(operand),
            Self::One(Equality::NotEqual, operand) => value != Some(operand),
            Self::Many(Membership::OneOf, operands) => {
                value.is_some_and(|it| operands.contains(it))
            }
            Self::Many(Membership::NotOneOf, operands) => {
                value.is_none_or(|it| !operands.contains(it))
            }
        }
    }
}

impl CustomCondition {
    fn matches(&self, value: Option<&String>) -> bool {
        match self {
            Self::Presence(Presence::Exists) => value.is_some(),
            Self::Presence(Presence::NotExists) => value.is_none(),
            Self::Text(condition) => condition.matches(value),
        }
    }
}

impl NumberCondition {
    fn matches(&self, value: u64) -> bool {
        // Times are far below 2⁵³, so floats are exact.
        let value = value as f64;
        match self {
            Self::Compared(Comparison::Above, operand) => value > *operand,
            Self::Compared(Comparison::Below, operand) => value < *operand,
            Self::Compared(Comparison::AtLeast, operand) => value >= *operand,
            Self::Compared(Comparison::AtMost, operand) => value <= *operand,
            Self::Within(Range::Between, (low, high)) => *low <= value && value < *high,
            Self::Within(Range::NotBetween, (low, high)) => !(*low <= value && value < *high),
        }
    }
}
