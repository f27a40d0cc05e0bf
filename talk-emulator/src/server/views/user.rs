use std::collections::BTreeMap;

use serde::Serialize;

use crate::server::patch::Custom;
use crate::server::user::User;

/// A user with all data. Unset members are null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct UserView<'a> {
    id: &'a str,
    name: &'a str,
    email: Option<&'a [String]>,
    phone: Option<&'a [String]>,
    photo_url: Option<&'a str>,
    welcome_message: Option<&'a str>,
    availability_text: Option<&'a str>,
    role: &'a str,
    locale: Option<&'a str>,
    custom: &'a Custom,
    /// Null if there are none (our choice).
    push_tokens: Option<&'a BTreeMap<String, bool>>,
    created_at: u64,
}

impl<'a> UserView<'a> {
    pub(in crate::server) fn new(user: &'a User) -> Self {
        let User {
            profile,
            private,
            created_at,
        } = user;
        let list = |list: &'a Vec<String>| (!list.is_empty()).then_some(list.as_slice());
        Self {
            id: &profile.id,
            name: &profile.name,
            email: list(&private.email),
            phone: list(&private.phone),
            photo_url: profile.photo_url.as_deref(),
            welcome_message: profile.welcome_message.as_deref(),
            availability_text: private.availability_text.as_deref(),
            role: &profile.role,
            locale: profile.locale.as_deref(),
            custom: &profile.custom,
            push_tokens: (!private.push_tokens.is_empty()).then_some(&private.push_tokens),
            created_at: *created_at,
        }
    }
}
