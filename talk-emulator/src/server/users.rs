//! Users: what everybody sees of them, and what only they and the server know.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::dispatch::{Body, Reply, done, reply};
use super::events::{Event, ProfileDiff};
use super::patch::{Custom, CustomPatch, Patch};
use super::presence;
use super::refusal::Refusal;
use super::subscribers::Topic;

/// The most users that one request may name.
const MAX_IDS: usize = 1000;

/// One user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) profile: Profile,
    private: Private,
}

/// What everybody sees.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    id: String,
    pub(super) name: String,
    custom: Custom,
    locale: Option<String>,
    photo_url: Option<String>,
    pub(super) role: String,
    welcome_message: Option<String>,
}

/// What is kept and never given out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Private {
    email: Vec<String>,
    phone: Vec<String>,
    push_tokens: BTreeMap<String, bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UserParams {
    name: Patch<String>,
    custom: CustomPatch,
    locale: Patch<String>,
    photo_url: Patch<String>,
    role: Patch<String>,
    welcome_message: Patch<String>,
    email: Patch<OneOrMany>,
    phone: Patch<OneOrMany>,
    push_tokens: Patch<BTreeMap<String, Option<bool>>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
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

#[derive(Debug, Deserialize)]
struct Ids {
    ids: Vec<String>,
}

/// `GET /users`
pub(super) fn get(cx: &Context<'_>, body: Body<'_>) -> Reply {
    let ids = ids(body)?;
    let found: BTreeMap<&str, &Profile> = ids
        .iter()
        .filter_map(|id| Some((id.as_str(), &cx.store.users.get(id)?.profile)))
        .collect();
    reply(&found)
}

/// The topics of `SUBSCRIBE /users` and `UNSUBSCRIBE /users`.
pub(super) fn topics(body: Body<'_>) -> Result<Vec<Topic>, Refusal> {
    Ok(ids(body)?.into_iter().map(Topic::User).collect())
}

fn ids(body: Body<'_>) -> Result<Vec<String>, Refusal> {
    let Ids { ids } = body.parse()?;
    if ids.len() > MAX_IDS {
        let reason = format!("At most {MAX_IDS} users at a time, not {}.", ids.len());
        return Err(Refusal::invalid("INVALID_REQUEST", reason));
    }
    Ok(ids)
}

/// `POST /users/{id}`
pub(super) fn create(cx: &mut Context<'_>, id: &str, body: Body<'_>) -> Reply {
    let params: UserParams = body.parse()?;
    check_name(&params, true)?;
    if cx.store.users.contains_key(id) {
        return Err(Refusal::new(
            409,
            "USER_ALREADY_EXISTS",
            "There is a user with this id.",
        ));
    }
    put(cx, id, params)
}

/// `PUT /users/{id}`
pub(super) fn set(cx: &mut Context<'_>, id: &str, body: Body<'_>) -> Reply {
    let params: UserParams = body.parse()?;
    check_name(&params, !cx.store.users.contains_key(id))?;
    put(cx, id, params)
}

fn check_name(params: &UserParams, is_new: bool) -> Result<(), Refusal> {
    match params.name {
        Patch::Reset => Err(Refusal::invalid(
            "INVALID_NAME",
            "A user's name cannot be null.",
        )),
        Patch::Keep if is_new => Err(Refusal::invalid("INVALID_NAME", "A new user needs a name.")),
        _ => Ok(()),
    }
}

fn put(cx: &mut Context<'_>, id: &str, params: UserParams) -> Reply {
    if !cx.settings.sync.users {
        return Err(Refusal::forbidden(
            "CLIENT_SIDE_SYNC_DISABLED",
            "Clients may not create or change users of this app.",
        ));
    }
    if let Some(user) = cx.store.users.get_mut(id) {
        let diff = user.apply(params);
        if !diff.is_empty() {
            let to = cx
                .subscribers
                .of(&Topic::User(id.to_owned()))
                .map(|(connection, _)| connection);
            cx.outbox.tell(
                to,
                &Event::UserEdited {
                    user_id: id,
                    diff: &diff,
                },
            );
        }
    } else {
        let mut user = User::new(id);
        user.apply(params);
        tell_created(cx, &user);
        cx.store.users.insert(id.to_owned(), user);
    }
    done()
}

fn tell_created(cx: &mut Context<'_>, user: &User) {
    let id = &user.profile.id;
    let of_user = cx.subscribers.of(&Topic::User(id.clone()));
    let mine = cx.subscribers.of(&Topic::Conversations(id.clone()));
    let to: BTreeSet<_> = of_user
        .chain(mine)
        .map(|(connection, _)| connection)
        .collect();
    cx.outbox.tell(
        to,
        &Event::UserCreated {
            user_id: id,
            state: &user.profile,
        },
    );
    // To those who watched a user that did not exist, being online or not is news.
    presence::tell(cx, id);
}

impl User {
    fn new(id: &str) -> Self {
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
        }
    }

    fn apply(&mut self, params: UserParams) -> ProfileDiff {
        self.private
            .apply(params.email, params.phone, params.push_tokens);
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
