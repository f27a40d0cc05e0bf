use serde_json::Value;

use super::conversation::SideView;
use super::refusal::Refusal;

/// Which conversations a list shows.
#[derive(Debug)]
pub(super) struct Filter;

impl Filter {
    /// Reads a filter in the form that it has on the wire; null is the one that lets all in.
    pub(super) fn read(filter: &Value) -> Result<Self, Refusal> {
        match filter {
            Value::Null => Ok(Self),
            Value::Object(members) if members.is_empty() => Ok(Self),
            _ => Err(Refusal::invalid(
                "INVALID_FILTER",
                "This is no filter of conversations.",
            )),
        }
    }

    pub(super) fn matches(&self, side: &SideView<'_>) -> bool {
        let _ = side;
        true
    }
}
