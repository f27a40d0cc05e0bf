//! Members of an update: absent = unchanged, null = reset, any other value = the new value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// Custom data.
pub(super) type Custom = BTreeMap<String, String>;

/// A member of an update. Its field needs `#[serde(default)]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Patch<T> {
    #[default]
    Keep,
    Reset,
    Set(T),
}

/// An update of custom data; null removes a key.
pub(super) type CustomPatch = Patch<BTreeMap<String, Option<String>>>;

/// The changes of custom data. `None` (null on the wire) means that all keys were removed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct CustomDiff(Option<BTreeMap<String, Option<String>>>);

/// The changes of an item, with absent members for unchanged ones.
pub(super) trait Diff: Default + PartialEq {
    /// Returns `true` if nothing changed.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Reset, Self::Set))
    }
}

impl<T> Patch<T> {
    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Self::Keep)
    }
}

impl<T: Clone + PartialEq> Patch<T> {
    /// Applies the update to a nullable member. Returns the new value if it changed.
    pub(super) fn apply(self, member: &mut Option<T>) -> Option<Option<T>> {
        let new = match self {
            Self::Keep => return None,
            Self::Reset => None,
            Self::Set(value) => Some(value),
        };
        (*member != new).then(|| {
            member.clone_from(&new);
            new
        })
    }

    /// Applies the update to a member that resets to `default`. Returns the new value if it
    /// changed.
    pub(super) fn apply_or(self, member: &mut T, default: T) -> Option<T> {
        let new = match self {
            Self::Keep => return None,
            Self::Reset => default,
            Self::Set(value) => value,
        };
        (*member != new).then(|| {
            member.clone_from(&new);
            new
        })
    }
}

impl CustomPatch {
    /// Applies the update to custom data. Returns the changes, if any.
    pub(super) fn apply_custom(self, custom: &mut Custom) -> Option<CustomDiff> {
        match self {
            Self::Keep => None,
            Self::Reset if custom.is_empty() => None,
            Self::Reset => {
                custom.clear();
                Some(CustomDiff(None))
            }
            Self::Set(given) => {
                let mut changed = BTreeMap::new();
                for (key, value) in given {
                    let differs = match &value {
                        Some(value) => {
                            custom.insert(key.clone(), value.clone()).as_ref() != Some(value)
                        }
                        None => custom.remove(&key).is_some(),
                    };
                    if differs {
                        changed.insert(key, value);
                    }
                }
                (!changed.is_empty()).then_some(CustomDiff(Some(changed)))
            }
        }
    }
}
