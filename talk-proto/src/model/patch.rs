//! A member of an update: left alone, reset, or given a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an update does to one member.
///
/// On the wire an absent member is unchanged and `null` resets it to its default. Serialise with
/// `#[serde(default, skip_serializing_if = "Patch::is_keep")]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leave it as it is. The default.
    #[default]
    Keep,
    /// Back to the default value.
    Reset,
    /// This value from now on.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether nothing changes.
    ///
    /// ```
    /// assert!(talk_proto::Patch::<String>::default().is_keep());
    /// ```
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The value that is set, if one is.
    ///
    /// ```
    /// assert_eq!(talk_proto::Patch::Set(1).as_set(), Some(&1));
    /// ```
    pub const fn as_set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Reset => None,
        }
    }

    /// Changes `target` as this says, where a reset means `None`.
    ///
    /// ```
    /// use talk_proto::Patch;
    ///
    /// let mut subject = Some("Tea");
    /// Patch::Keep.apply_to(&mut subject);
    /// assert_eq!(subject, Some("Tea"));
    /// Patch::Reset.apply_to(&mut subject);
    /// assert_eq!(subject, None);
    /// ```
    pub fn apply_to(self, target: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Reset => *target = None,
            Self::Set(value) => *target = Some(value),
        }
    }

    /// The same patch of another type.
    ///
    /// ```
    /// use talk_proto::Patch;
    ///
    /// assert_eq!(Patch::Set("Tea").map(str::len), Patch::Set(3));
    /// ```
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Reset => Patch::Reset,
            Self::Set(value) => Patch::Set(f(value)),
        }
    }
}

impl Patch<CustomPatch> {
    /// Sets one key besides those that are set already.
    pub(super) fn set_key(&mut self, key: String, value: String) {
        if !matches!(self, Self::Set(_)) {
            *self = Self::Set(CustomPatch::new());
        }
        if let Self::Set(keys) = self {
            keys.insert(key, Some(value));
        }
    }
}

/// `Some` sets, `None` resets.
impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Reset, Self::Set)
    }
}

impl From<&str> for Patch<String> {
    fn from(value: &str) -> Self {
        Self::Set(value.to_owned())
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Reset => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

/// An update of a `custom` member: a value sets its key, `None` removes it, other keys stay.
pub type CustomPatch = BTreeMap<String, Option<String>>;
