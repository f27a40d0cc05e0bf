//! Parameters of calls, read from JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::json::reason;

/// Reads an object into a type of the library. Refuses members that the type does not know, which
/// the type itself would ignore.
pub(crate) fn read<T: DeserializeOwned + Serialize>(json: &str) -> Result<T, String> {
    let members = members(json)?;
    let params: T = parse(json)?;
    // Every known member, also `null`, is serialised again. A member that is missing afterwards is
    // unknown.
    let known = serde_json::to_value(&params).map_err(misunderstood)?;
    match members.keys().find(|name| known.get(name).is_none()) {
        Some(name) => Err(format!("there is no parameter {name:?}")),
        None => Ok(params),
    }
}

/// Reads an object into a type that refuses members that it does not know.
pub(crate) fn read_strict<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    members(json)?;
    parse(json)
}

/// Returns the members of an object. serde would accept an array for the members of a struct.
fn members(json: &str) -> Result<BTreeMap<String, IgnoredAny>, String> {
    serde_json::from_str(json).map_err(|_| "the parameters must be an object".to_owned())
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(misunderstood)
}

fn misunderstood(error: serde_json::Error) -> String {
    format!("the parameters are not understood: {}", reason(&error))
}
