//! Refs of users.

use std::sync::Arc;

use talk_proto::{
    Call, Reply, Topic,
    model::{OnlineSnapshot, User, UserId, UserParams},
};

use crate::handle::{CallFuture, Handle};
use crate::subscription::Subscription;

/// A ref of a user, created by [`Session::user`](crate::Session::user).
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// use talk_client::UserParams;
///
/// let bob = session.user("bob")?;
/// bob.create_if_not_exists(UserParams::named("Bob")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserRef {
    handle: Handle,
    id: UserId,
}

impl UserRef {
    pub(crate) fn new(handle: Handle, id: UserId) -> Self {
        Self { handle, id }
    }

    /// Returns the user's ID.
    pub fn id(&self) -> &UserId {
        &self.id
    }

    /// Fetches the user; `None` if the user does not exist. Every user can fetch every other one.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// if let Some(bob) = session.user("bob")?.get().await? {
    ///     println!("{}", bob.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None of its own; see [`Error`](crate::Error) for those of every call.
    pub fn get(&self) -> CallFuture<Option<Arc<User>>> {
        let user = self.id.clone();
        self.handle
            .call(Call::GetUser { user }, |reply| match reply {
                Reply::User(user) => Ok(user),
                reply => Err(reply),
            })
    }

    /// Creates the user, or changes the values in `params`.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::UserParams;
    ///
    /// session.current_user().set(UserParams::named("Alice").locale("en-US")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the user does not exist and `params` holds no name, a value
    /// is invalid, or user syncing is off.
    pub fn set(&self, params: UserParams) -> CallFuture<()> {
        let user = self.id.clone();
        self.handle.call_done(Call::SetUser { user, params })
    }

    /// Creates the user. An existing user is not changed.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::UserParams;
    ///
    /// let bob = session.user("bob")?;
    /// bob.create_if_not_exists(UserParams::named("Bob")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server refuses the call if the user does not exist and `params` holds no name or user
    /// syncing is off.
    pub fn create_if_not_exists(&self, params: UserParams) -> CallFuture<()> {
        let user = self.id.clone();
        self.handle.call_done(Call::CreateUser { user, params })
    }

    /// Subscribes to the user; `None` while the user does not exist.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let bob = session.user("bob")?.subscribe();
    /// println!("{:?}", bob.connected().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self) -> Subscription<Option<Arc<User>>> {
        let user = self.id.clone();
        Subscription::new(&self.handle, Topic::User { user })
    }

    /// Subscribes to the online state of the user; `None` while the user does not exist. A
    /// connected user is online; a user of only this API is online during subscriptions.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let bob = session.user("bob")?.subscribe_online();
    /// if bob.connected().await?.is_some_and(|bob| bob.is_connected) {
    ///     println!("Bob is here");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_online(&self) -> Subscription<Option<Arc<OnlineSnapshot>>> {
        let user = self.id.clone();
        Subscription::new(&self.handle, Topic::Online { user })
    }
}

/// Returns the ID, so that a ref is accepted as an ID.
impl From<UserRef> for UserId {
    fn from(user: UserRef) -> Self {
        user.id
    }
}

impl From<&UserRef> for UserId {
    fn from(user: &UserRef) -> Self {
        user.id.clone()
    }
}
