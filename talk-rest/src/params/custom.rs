//! A macro for parameters, and patches of custom data.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use talk_proto::model::{CustomPatch, Patch};

/// Sets a key of a patch, or removes it with `None`.
pub(crate) fn set_key(custom: &mut Patch<CustomPatch>, key: String, value: Option<String>) {
    if !matches!(custom, Patch::Set(_)) {
        *custom = Patch::Set(CustomPatch::new());
    }
    if let Patch::Set(keys) = custom {
        keys.insert(key, value);
    }
}

/// Shows the names of the members that parameters set.
pub(crate) fn fmt_names(
    name: &str,
    params: &impl Serialize,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str(name)?;
    let Ok(Value::Object(members)) = serde_json::to_value(params) else {
        return Ok(());
    };
    f.write_str(" ")?;
    f.debug_set().entries(members.keys()).finish()
}

/// Adds `Debug` and the methods for custom data to parameters.
macro_rules! params {
    ($name:ident $($custom:ident)?) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                crate::params::custom::fmt_names(stringify!($name), self, f)
            }
        }

        $(
            impl $name {
                /// Sets a key of the custom data. Other keys stay.
                pub fn $custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                    let value = Some(value.into());
                    crate::params::custom::set_key(&mut self.$custom, key.into(), value);
                    self
                }

                /// Removes a key of the custom data. Other keys stay.
                pub fn remove_custom(mut self, key: impl Into<String>) -> Self {
                    crate::params::custom::set_key(&mut self.$custom, key.into(), None);
                    self
                }
            }
        )?
    };
}
pub(crate) use params;
