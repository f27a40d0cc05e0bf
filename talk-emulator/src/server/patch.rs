//! Members of an update: absent = unchanged, null = reset, anything else = the new value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// A map of custom data.
pub(super) type Custom = BTreeMap<String, String>;

/// One member of an update. Needs `#[serde(default)]` where it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Patch<T> {
    #[default]
    Keep,
    Reset,
    Set(T),
}

/// What is given of custom data: null removes a key.
pub(super) type CustomPatch = Patch<BTreeMap<String, Option<String>>>;

/// What changed in custom data. `None` (null on the wire) = all of it is gone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct CustomDiff(Option<BTreeMap<String, Option<String>>>);

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
    /// Applies this to a member that can be null; the new value if that changed it.
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

    /// Applies this to a member whose reset state is `default`; the new value if that changed it.
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
    /// Applies this to custom data; what changed, if anything did.
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
