//! Users.

use http::Method;
use serde_json::{Map, Value, json};
use talk_proto::model::{ConversationId, EmptyId, UserId};

use super::id::id;
use crate::batch::count_in_range;
use crate::call::{Call, Payload, list, to_json};
use crate::error::InvalidCall;
use crate::list::List;
use crate::model::{Conversation, User, UserSession};
use crate::params::{ReadUntil, UserParams};
use crate::path::path;

/// The maximum number of users in a call.
const MAX_USERS: usize = 100;

/// Returns the endpoint of a user.
///
/// ```
/// use talk_rest::{UserParams, user};
///
/// let put = user("alice")?.put(UserParams::named("Alice"));
/// # Ok::<(), talk_rest::EmptyId>(())
/// ```
///
/// # Errors
/// [`EmptyId`] if the ID is empty.
pub fn user<I>(user: I) -> Result<UserEndpoint, EmptyId>
where
    I: TryInto<UserId, Error: Into<EmptyId>>,
{
    id(user).map(UserEndpoint)
}

/// Returns the request for the list of users, newest first (our choice).
pub fn users() -> List<User> {
    List::new(path(&["users"]))
}

/// Returns the call that creates or updates up to 100 users, all or none.
///
/// ```
/// use talk_rest::{UserParams, put_users};
///
/// let alice = ("alice".try_into()?, UserParams::named("Alice"));
/// let bob = ("bob".try_into()?, UserParams::named("Bob"));
/// let call = put_users([alice, bob])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`InvalidCall::Count`] for none, or more than 100.
pub fn put_users(
    users: impl IntoIterator<Item = (UserId, UserParams)>,
) -> Result<Call<()>, InvalidCall> {
    let users = users.into_iter();
    let users: Map<String, Value> = users
        .map(|(id, params)| (id.into(), to_json(&params)))
        .collect();
    count_in_range("users", users.len(), MAX_USERS)?;
    Ok(Call::writing(Method::PUT, path(&["users"]), &users))
}

/// The calls that concern a user. Users cannot be deleted; a [`put`](Self::put) can anonymise one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct UserEndpoint(UserId);

impl UserEndpoint {
    /// Returns the user's ID.
    pub fn id(&self) -> &UserId {
        &self.0
    }

    /// Creates or updates the user.
    pub fn put(&self, params: UserParams) -> Call<()> {
        Call::writing(Method::PUT, self.path(&[]), &params)
    }

    /// Reads the user.
    pub fn get(&self) -> Call<User> {
        Call::reading(self.path(&[]))
    }

    /// Lists the conversations of the user.
    pub fn conversations(&self) -> List<Conversation> {
        List::new(self.path(&["conversations"]))
    }

    /// Reads the connections of the user. An older call; the newer one is
    /// [`presences`](crate::presences).
    pub fn sessions(&self) -> Call<Vec<UserSession>> {
        let path = self.path(&["sessions"]);
        Call::new(Method::GET, path, Payload::None, list)
    }

    /// Sets the position up to which the user has read a conversation. The service does not
    /// document this call; see also
    /// [`ParticipantPatch::read_until`](crate::ParticipantPatch::read_until).
    ///
    /// # Errors
    /// [`EmptyId`] if the conversation's ID is empty.
    pub fn read_until<I>(
        &self,
        conversation: I,
        position: impl Into<ReadUntil>,
    ) -> Result<Call<()>, EmptyId>
    where
        I: TryInto<ConversationId, Error: Into<EmptyId>>,
    {
        let conversation: ConversationId = id(conversation)?;
        let path = self.path(&["conversations", conversation.as_str()]);
        let body = json!({ "readUntil": position.into() });
        Ok(Call::writing(Method::PATCH, path, &body))
    }

    fn path(&self, rest: &[&str]) -> String {
        path(&[&["users", self.0.as_str()], rest].concat())
    }
}
