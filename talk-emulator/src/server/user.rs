//! A user: the public profile and the private contact data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::patch::{Custom, CustomDiff, CustomPatch, Diff, Patch};

/// A user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) profile: Profile,
    pub(super) private: Private,
    /// The time of creation. 0 in records of earlier versions.
    #[serde(default)]
    pub(super) created_at: u64,
}

/// The public profile.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) custom: Custom,
    pub(super) locale: Option<String>,
    pub(super) photo_url: Option<String>,
    pub(super) role: String,
    pub(super) welcome_message: Option<String>,
}

/// The private data, never sent to clients.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Private {
    pub(super) email: Vec<String>,
    pub(super) phone: Vec<String>,
    pub(super) push_tokens: BTreeMap<String, bool>,
    #[serde(default)]
    pub(super) availability_text: Option<String>,
}

/// The changes of a profile.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileDiff {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<CustomDiff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locale: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) photo_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) welcome_message: Option<Option<String>>,
}

impl Diff for ProfileDiff {}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UserParams {
    pub(super) name: Patch<String>,
    pub(super) custom: CustomPatch,
    pub(super) locale: Patch<String>,
    pub(super) photo_url: Patch<String>,
    pub(super) role: Patch<String>,
    pub(super) welcome_message: Patch<String>,
    pub(super) email: Patch<OneOrMany>,
    pub(super) phone: Patch<OneOrMany>,
    pub(super) push_tokens: Patch<BTreeMap<String, Option<bool>>>,
    /// Only back ends set it.
    #[serde(skip)]
    pub(super) availability_text: Patch<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Vec<String> {
    fn from(given: OneOrMany) -> Self {
        match given {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

impl User {
    pub(super) fn new(id: &str, created_at: u64) -> Self {
        let profile = Profile {
            id: id.to_owned(),
            name: String::new(),
            custom: Custom::new(),
            locale: None,
            photo_url: None,
            role: DEFAULT_ROLE.to_owned(),
            welcome_message: None,
        };
        Self {
            profile,
            private: Private::default(),
            created_at,
        }
    }

    pub(super) fn apply(&mut self, params: UserParams) -> ProfileDiff {
        self.private
            .apply(params.email, params.phone, params.push_tokens);
        params
            .availability_text
            .apply(&mut self.private.availability_text);
        let profile = &mut self.profile;
        let name = profile.name.clone();
        ProfileDiff {
            name: params.name.apply_or(&mut profile.name, name),
            custom: params.custom.apply_custom(&mut profile.custom),
            locale: params.locale.apply(&mut profile.locale),
            photo_url: params.photo_url.apply(&mut profile.photo_url),
            role: params
                .role
                .apply_or(&mut profile.role, DEFAULT_ROLE.to_owned()),
            welcome_message: params.welcome_message.apply(&mut profile.welcome_message),
        }
    }
}

const DEFAULT_ROLE: &str = "default";

impl Private {
    fn apply(
        &mut self,
        email: Patch<OneOrMany>,
        phone: Patch<OneOrMany>,
        push_tokens: Patch<BTreeMap<String, Option<bool>>>,
    ) {
        for (given, kept) in [(email, &mut self.email), (phone, &mut self.phone)] {
            match given {
                Patch::Keep => {}
                Patch::Reset => kept.clear(),
                Patch::Set(given) => *kept = given.into(),
            }
        }
        match push_tokens {
            Patch::Keep => {}
            Patch::Reset => self.push_tokens.clear(),
            Patch::Set(given) => {
                for (token, value) in given {
                    match value {
                        Some(value) => self.push_tokens.insert(token, value),
                        None => self.push_tokens.remove(&token),
                    };
                }
            }
        }
    }
}
