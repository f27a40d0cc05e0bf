use talk_proto::Timestamp;

use super::event_queue::EventQueue;
use super::random::Random;
use super::refusal::Refusal;
use super::settings::{Role, Settings};
use super::store::Store;
use super::subscribers::Subscribers;
use super::timers::Timers;
use super::typing_users::TypingUsers;
use super::webhooks::WebhookQueue;

/// The context of a request: the state of one app, as seen by one user.
#[derive(Debug)]
pub(super) struct RequestCx<'a> {
    pub(super) now: Timestamp,
    pub(super) app: &'a str,
    pub(super) me: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) store: &'a mut Store,
    pub(super) subscribers: &'a mut Subscribers,
    pub(super) typing: &'a mut TypingUsers,
    pub(super) events: &'a mut EventQueue,
    pub(super) timers: &'a mut Timers,
    pub(super) random: &'a mut Random,
    pub(super) webhooks: &'a mut WebhookQueue,
}

impl RequestCx<'_> {
    /// Calls `act` with the same state, as seen by another user.
    pub(super) fn acting_as<R>(
        &mut self,
        me: &str,
        act: impl FnOnce(&mut RequestCx<'_>) -> R,
    ) -> R {
        act(&mut RequestCx {
            now: self.now,
            app: self.app,
            me,
            settings: self.settings,
            store: self.store,
            subscribers: self.subscribers,
            typing: self.typing,
            events: self.events,
            timers: self.timers,
            random: self.random,
            webhooks: self.webhooks,
        })
    }

    /// Returns the current time in unix milliseconds.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.now.as_millis()).unwrap_or(0)
    }

    /// Returns the user's role.
    pub(super) fn role(&self) -> &Role {
        role_of(self.store, self.settings, self.me)
    }

    /// Refuses an operation that the user's role forbids.
    pub(super) fn allow(
        &self,
        allowed: impl FnOnce(&Role) -> bool,
        what: &str,
    ) -> Result<(), Refusal> {
        if allowed(self.role()) {
            return Ok(());
        }
        let reason = format!("Your role does not allow you to {what}.");
        Err(Refusal::forbidden("FORBIDDEN_BY_ROLE", reason))
    }
}

/// Returns a user's role. An unknown user has the default role.
pub(super) fn role_of<'a>(store: &Store, settings: &'a Settings, user: &str) -> &'a Role {
    settings.role(
        store
            .users
            .get(user)
            .map_or("default", |user| &user.profile.role),
    )
}
