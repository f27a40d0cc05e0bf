//! Updates of single members: keep, reset, or set to a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The effect of an update on a member.
///
/// In JSON an absent member is kept, and `null` resets it to its default. Serialise with
/// `#[serde(default, skip_serializing_if = "Patch::is_keep")]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "keep, reset and set are all there is"
)]
pub enum Patch<T> {
    /// Keeps the current value. The default.
    #[default]
    Keep,
    /// Restores the default value.
    Reset,
    /// Sets a value.
    Set(T),
}

impl<T> Patch<T> {
    /// Returns `true` if the member keeps its value.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Returns the value to set, if there is one.
    pub const fn as_set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Reset => None,
        }
    }

    /// Applies the patch to `target`. A reset sets it to `None`.
    ///
    /// ```
    /// use talk_proto::model::Patch;
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

    /// Applies the patch to `target`. A reset sets it to the default value.
    pub(crate) fn apply_or_default(self, target: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Keep => {}
            Self::Reset => *target = T::default(),
            Self::Set(value) => *target = value,
        }
    }

    /// Converts the value to set.
    ///
    /// ```
    /// use talk_proto::model::Patch;
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
    /// Adds a key to the keys to set.
    pub(crate) fn set_key(&mut self, key: String, value: String) {
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

impl<const N: usize> From<[String; N]> for Patch<Vec<String>> {
    fn from(value: [String; N]) -> Self {
        Self::Set(value.into())
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

/// An update of custom data. A value sets its key, `None` removes it, and other keys are kept.
pub type CustomPatch = BTreeMap<String, Option<String>>;

/// Defines a diff: a struct of patches or options, where an absent member is unchanged. Tests also
/// serialise it.
macro_rules! diff {
    (
        $(#[$attr:meta])*
        $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$attr])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[cfg_attr(test, derive(serde::Serialize))]
        #[serde(rename_all = "camelCase", default)]
        pub(crate) struct $name {
            $(
                $(#[$doc])*
                #[cfg_attr(
                    test,
                    serde(skip_serializing_if = "crate::model::tests::IsAbsent::is_absent")
                )]
                pub(crate) $field: $type,
            )*
        }
    };
}
pub(crate) use diff;

/// Defines the parameters of a call: a struct of patches with one setter each. A definition that
/// ends with `custom` adds custom data.
macro_rules! params {
    (
        $(#[$attr:meta])*
        pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }
        $($custom:ident)?
    ) => {
        $(#[$attr])*
        #[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[non_exhaustive]
        #[must_use]
        pub struct $name {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Patch::is_keep")]
                pub $field: Patch<$type>,
            )*
            $(
                /// Changes to single keys of the custom data.
                #[serde(skip_serializing_if = "Patch::is_keep")]
                pub $custom: Patch<$crate::model::patch::CustomPatch>,
            )?
        }

        impl $name {
            $(
                $(#[$doc])*
                pub fn $field(mut self, value: impl Into<Patch<$type>>) -> Self {
                    self.$field = value.into();
                    self
                }
            )*
            $(
                /// Sets one key of the custom data.
                pub fn $custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                    self.$custom.set_key(key.into(), value.into());
                    self
                }
            )?
        }
    };
}
pub(crate) use params;
