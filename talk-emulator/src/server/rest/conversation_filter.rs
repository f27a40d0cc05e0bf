//! The parameter `filter` of the lists of conversations.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::answer::invalid;
use crate::server::filter::Filter;
use crate::server::refusal::Refusal;

/// The members that depend on a user (our choice).
const OF_USER: [&str; 3] = ["access", "isUnread", "joinedAt"];

/// The classic names of members, with the names on the socket (our choice).
const CLASSIC: [(&str, &str); 2] = [
    ("hasUnreadMessages", "isUnread"),
    ("lastMessageTs", "lastActivityAt"),
];

/// Reads a filter: the language of the socket, and the classic names. Some back ends encode it
/// twice.
pub(super) fn read(filter: Option<&str>, is_of_user: bool) -> Result<Filter, Refusal> {
    let Some(text) = filter else {
        return Filter::read(None);
    };
    let filter = serde_json::from_str(text).or_else(|_| {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        serde_json::from_str(&decoded)
    });
    let mut filter: Value = filter.map_err(|_| refuse("The filter is no JSON."))?;
    let is_any = |list: &Vec<Value>| list.first().is_some_and(|tag| tag == "any");
    if filter.as_array().is_some_and(|list| !is_any(list)) {
        return Err(refuse(
            "A list of conditions is [\"any\", [conditions, …]].",
        ));
    }
    for conditions in conditions(&mut filter) {
        rename_classic(conditions)?;
        if !is_of_user && OF_USER.iter().any(|name| conditions.contains_key(*name)) {
            return Err(refuse(
                "`access`, `isUnread`, `joinedAt` and `hasUnreadMessages` need the list of a user.",
            ));
        }
    }
    Filter::read(Some(&filter))
}

/// Returns the objects that hold conditions: one, or each of `["any", […]]`.
fn conditions(filter: &mut Value) -> Vec<&mut Map<String, Value>> {
    let all = match filter {
        Value::Array(any) => any
            .iter_mut()
            .flat_map(|it| it.as_array_mut().into_iter().flatten())
            .collect(),
        one => vec![one],
    };
    all.into_iter().filter_map(Value::as_object_mut).collect()
}

fn rename_classic(conditions: &mut Map<String, Value>) -> Result<(), Refusal> {
    for (classic, name) in CLASSIC {
        if let Some(condition) = conditions.remove(classic)
            && conditions.insert(name.to_owned(), condition).is_some()
        {
            let reason = format!("`{classic}` and `{name}` exclude each other.");
            return Err(refuse(reason));
        }
    }
    Ok(())
}

fn refuse(reason: impl Into<String>) -> Refusal {
    invalid("INVALID_FILTER", reason)
}
