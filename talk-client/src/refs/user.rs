//! A user.

use std::sync::Arc;

use talk_proto::{Call, EmptyId, OnlineSnapshot, Reply, Topic, User, UserId, UserParams};

use crate::handle::{CallFuture, Handle};
use crate::subscription::Subscription;

/// A user, made by [`Session::user`](crate::Session::user).
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

    /// The user's ID.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// assert_eq!(session.user("bob")?.id().as_str(), "bob");
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> &UserId {
        &self.id
    }

    /// The user, or `None` when they do not exist. Anybody may ask for anybody.
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

    /// Creates the user, or changes what `params` names.
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
    /// Refused when the user does not exist and no name is given, when a value is not acceptable,
    /// and where user syncing is off.
    pub fn set(&self, params: UserParams) -> CallFuture<()> {
        let user = self.id.clone();
        self.handle.call_done(Call::SetUser { user, params })
    }

    /// Creates the user; one who exists is left as they are.
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
    /// Refused when the user does not exist and no name is given or user syncing is off.
    pub fn create_if_not_exists(&self, params: UserParams) -> CallFuture<()> {
        let user = self.id.clone();
        self.handle.call_done(Call::CreateUser { user, params })
    }

    /// The user from now on: `None` as long as they do not exist.
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

    /// Whether the user is online from now on: `None` as long as they do not exist. Someone is
    /// online who is connected, and who uses only this API is while they subscribe to something.
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

/// So that a ref can stand where an ID is asked for. It never fails.
impl TryFrom<&UserRef> for UserId {
    type Error = EmptyId;

    fn try_from(user: &UserRef) -> Result<Self, EmptyId> {
        Ok(user.id.clone())
    }
}
