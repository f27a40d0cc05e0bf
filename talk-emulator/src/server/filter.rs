//! Conversation filters, as they stand on the wire.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::conversation::{Access, SideView};
use super::refusal::Refusal;

/// Which conversations a list shows.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Filter {
    /// `["any", [conditions, …]]`: those that meet one of them.
    Any(AnyTag, Vec<Conditions>),
    /// Those that meet all of these conditions.
    All(Conditions),
}

#[derive(Debug, Deserialize)]
pub(super) enum AnyTag {
    #[serde(rename = "any")]
    Any,
}

/// Conditions on a conversation's members; none is always met.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Conditions {
    access: Option<AccessCondition>,
    custom: BTreeMap<String, CustomCondition>,
    is_unread: Option<bool>,
    has_messages: Option<bool>,
    subject: Option<Condition<Option<String>>>,
    last_activity_at: Option<NumberCondition>,
    created_at: Option<NumberCondition>,
    joined_at: Option<NumberCondition>,
}

type AccessCondition = Condition<Access>;

/// A condition on something that equals or does not.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Condition<T> {
    One(Equality, T),
    Many(Membership, Vec<T>),
}

#[derive(Debug, Deserialize)]
enum Equality {
    #[serde(rename = "==")]
    Is,
    #[serde(rename = "!=")]
    IsNot,
}

#[derive(Debug, Deserialize)]
enum Membership {
    #[serde(rename = "oneOf")]
    Among,
    #[serde(rename = "!oneOf")]
    NotAmong,
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
    There,
    #[serde(rename = "!exists")]
    Missing,
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

/// From the first number on, up to the second and without it.
#[derive(Debug, Deserialize)]
enum Range {
    #[serde(rename = "between")]
    Inside,
    #[serde(rename = "!between")]
    Outside,
}

impl Filter {
    /// Reads a filter; null is the one that lets all in.
    pub(super) fn read(filter: Option<&Value>) -> Result<Self, Refusal> {
        match filter {
            None | Some(Value::Null) => Ok(Self::All(Conditions::default())),
            Some(filter) => Self::deserialize(filter).map_err(|_| {
                Refusal::invalid("INVALID_FILTER", "This is no filter of conversations.")
            }),
        }
    }

    pub(super) fn matches(&self, side: &SideView<'_>) -> bool {
        match self {
            Self::Any(AnyTag::Any, alternatives) => alternatives.iter().any(|it| it.are_met(side)),
            Self::All(conditions) => conditions.are_met(side),
        }
    }
}

impl Conditions {
    fn are_met(&self, side: &SideView<'_>) -> bool {
        let last_activity = side.state.last_message_at;
        met(self.access.as_ref(), |it| it.is_met(Some(&side.access)))
            && met(self.subject.as_ref(), |it| {
                it.is_met(Some(&side.subject.map(str::to_owned)))
            })
            && met(self.is_unread.as_ref(), |it| *it == side.state.is_unread)
            && met(self.has_messages.as_ref(), |it| {
                *it == (last_activity != side.joined_at)
            })
            && met(self.last_activity_at.as_ref(), |it| {
                it.is_met(last_activity)
            })
            && met(self.created_at.as_ref(), |it| it.is_met(side.created_at))
            && met(self.joined_at.as_ref(), |it| it.is_met(side.joined_at))
            && self
                .custom
                .iter()
                .all(|(key, it)| it.is_met(side.custom.get(key)))
    }
}

fn met<T>(condition: Option<&T>, is_met: impl FnOnce(&T) -> bool) -> bool {
    condition.is_none_or(is_met)
}

impl<T: PartialEq> Condition<T> {
    /// What is missing equals nothing.
    fn is_met(&self, value: Option<&T>) -> bool {
        match self {
            Self::One(Equality::Is, operand) => value == Some(operand),
            Self::One(Equality::IsNot, operand) => value != Some(operand),
            Self::Many(Membership::Among, operands) => {
                value.is_some_and(|it| operands.contains(it))
            }
            Self::Many(Membership::NotAmong, operands) => {
                value.is_none_or(|it| !operands.contains(it))
            }
        }
    }
}

impl CustomCondition {
    fn is_met(&self, value: Option<&String>) -> bool {
        match self {
            Self::Presence(Presence::There) => value.is_some(),
            Self::Presence(Presence::Missing) => value.is_none(),
            Self::Text(condition) => condition.is_met(value),
        }
    }
}

impl NumberCondition {
    fn is_met(&self, value: u64) -> bool {
        // Times are far below 2⁵³, where floats hold every whole number.
        let value = value as f64;
        match self {
            Self::Compared(Comparison::Above, operand) => value > *operand,
            Self::Compared(Comparison::Below, operand) => value < *operand,
            Self::Compared(Comparison::AtLeast, operand) => value >= *operand,
            Self::Compared(Comparison::AtMost, operand) => value <= *operand,
            Self::Within(Range::Inside, (low, high)) => *low <= value && value < *high,
            Self::Within(Range::Outside, (low, high)) => !(*low <= value && value < *high),
        }
    }
}
