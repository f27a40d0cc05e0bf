//! The members of an object in a body.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::answer::invalid;
use crate::server::patch::{CustomPatch, Patch};
use crate::server::refusal::Refusal;

/// Reads the members of an object one by one and collects the reasons for a refusal. Unknown
/// members are ignored.
#[derive(Debug)]
pub(super) struct Members<'a> {
    object: &'a Map<String, Value>,
    reasons: Vec<String>,
}

impl<'a> Members<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        Self {
            object,
            reasons: Vec::new(),
        }
    }

    /// Reads a member. `expected` describes its type, for a refusal.
    pub(super) fn read<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Patch<T> {
        match self.object.get(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Reset,
            Some(value) => match T::deserialize(value) {
                Ok(value) => Patch::Set(value),
                Err(_) => {
                    self.refuse(format!("{name}: must be {expected}"));
                    Patch::Keep
                }
            },
        }
    }

    /// Reads a member for which null is the same as an absent member.
    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Option<T> {
        match self.read(name, expected) {
            Patch::Set(value) => Some(value),
            Patch::Keep | Patch::Reset => None,
        }
    }

    pub(super) fn string(&mut self, name: &str) -> Patch<String> {
        self.read(name, "a string")
    }

    pub(super) fn custom(&mut self) -> CustomPatch {
        self.read("custom", "an object of strings")
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Adds a reason for a refusal.
    pub(super) fn refuse(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    /// Returns the value, or all reasons for a refusal.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<String>> {
        if self.reasons.is_empty() {
            Ok(value)
        } else {
            Err(self.reasons)
        }
    }
}

/// Creates a refusal from the reasons of one object.
pub(super) fn refuse(code: &'static str, reasons: &[String]) -> Refusal {
    invalid(code, reasons.join("; "))
}
