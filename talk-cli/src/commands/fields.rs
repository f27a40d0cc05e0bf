//! Flags that set attributes.

use clap::ValueEnum;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::exit::CliError;
use crate::params;

/// Flags that reset attributes to their defaults.
#[derive(Debug, clap::Args)]
pub(crate) struct Unset {
    /// Reset a member to its default, by its name in JSON: photoUrl, custom, custom.KEY…
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
}

/// Flags for custom data.
#[derive(Debug, clap::Args)]
pub(crate) struct Custom {
    /// Set a key of the custom data
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    custom: Vec<(String, String)>,
}

/// The permissions of a participant.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

/// The notification setting of a participant.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Notify {
    Always,
    Never,
    Mentions,
}

/// Flags for a participation.
#[derive(Debug, clap::Args)]
pub(crate) struct Rights {
    /// The permissions of the participant
    #[arg(long, value_enum)]
    access: Option<Access>,
    /// The messages that notify the participant
    #[arg(long, value_enum)]
    notify: Option<Notify>,
}

/// Attributes as JSON members. Absent ones are not changed.
#[derive(Default)]
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Sets a member, if a value is given.
    pub(crate) fn set(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Sets a list, if it is not empty.
    pub(crate) fn set_list(self, name: &str, values: Vec<String>) -> Self {
        self.set(name, (!values.is_empty()).then_some(values))
    }

    pub(crate) fn custom(mut self, custom: Custom) -> Self {
        for (key, value) in custom.custom {
            self.set_custom(key, Value::from(value));
        }
        self
    }

    pub(crate) fn rights(self, rights: &Rights) -> Self {
        let access = rights.access.map(|access| match access {
            Access::Read => "Read",
            Access::ReadWrite => "ReadWrite",
        });
        let notify = rights.notify.map(|notify| match notify {
            Notify::Always => Value::from(true),
            Notify::Never => Value::from(false),
            Notify::Mentions => Value::from("MentionsOnly"),
        });
        self.set("access", access).set("notify", notify)
    }

    /// Resets members. A member that is also set is an error, because one of the two flags would
    /// be lost.
    pub(crate) fn unset(mut self, unset: Unset) -> Result<Self, CliError> {
        for name in unset.unset {
            let custom = name.strip_prefix("custom.");
            let given = match custom {
                Some(key) => self.0.get("custom").and_then(|custom| custom.get(key)),
                None => self.0.get(&name),
            };
            if given.is_some_and(has_value) {
                let problem = format!("--unset {name} cannot be used with a flag that sets it");
                return Err(CliError::Usage(problem));
            }
            match custom {
                Some(key) => self.set_custom(key.to_owned(), Value::Null),
                None => drop(self.0.insert(name, Value::Null)),
            }
        }
        Ok(self)
    }

    /// Returns the parameters with these members.
    pub(crate) fn read<T: DeserializeOwned + Serialize>(self) -> Result<T, CliError> {
        params::read(&Value::from(self.0).to_string()).map_err(CliError::Usage)
    }

    fn set_custom(&mut self, key: String, value: Value) {
        let custom = self.0.entry("custom").or_insert_with(|| Map::new().into());
        if let Value::Object(custom) = custom {
            custom.insert(key, value);
        }
    }
}

/// Returns `true` if the value sets something.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(members) => members.values().any(has_value),
        _ => true,
    }
}

pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use talk_tokio::{Patch, UserParams};

    use super::*;

    #[test]
    fn flags_become_members() {
        let custom = Custom {
            custom: vec![key_value("a=b=c").unwrap()],
        };
        let unset = Unset {
            unset: vec!["photoUrl".to_owned(), "custom.x".to_owned()],
        };
        let params: UserParams = Members::default()
            .set("name", Some("Bob"))
            .set("locale", None::<String>)
            .custom(custom)
            .unset(unset)
            .unwrap()
            .read()
            .unwrap();
        let mut expected = UserParams::named("Bob").custom("a", "b=c");
        expected.photo_url = Patch::Reset;
        if let Patch::Set(custom) = &mut expected.custom {
            custom.insert("x".to_owned(), None);
        }
        assert_eq!(params, expected);
    }

    #[test]
    fn unset_unknown_field_is_refused() {
        let unset = Unset {
            unset: vec!["fotoUrl".to_owned()],
        };
        let params = Members::default().unset(unset).unwrap();
        let params = params.read::<UserParams>();
        assert!(matches!(params, Err(CliError::Usage(message)) if message.contains("fotoUrl")));
    }

    #[test]
    fn unset_with_value_of_same_member_is_refused() {
        let members = |unset: &[&str]| {
            let custom = Custom {
                custom: vec![key_value("a=1").unwrap()],
            };
            let unset = Unset {
                unset: unset.iter().map(|name| (*name).to_owned()).collect(),
            };
            let members = Members::default().set("photoUrl", Some("p")).custom(custom);
            members.unset(unset)
        };
        for name in ["photoUrl", "custom", "custom.a"] {
            let Err(CliError::Usage(message)) = members(&[name]) else {
                panic!("{name} is set and reset");
            };
            assert!(message.contains(name), "{message}");
        }
        assert!(members(&["locale", "custom.b"]).is_ok());
    }
}
