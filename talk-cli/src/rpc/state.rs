//! The state of `talk rpc`.

use talk_tokio::Session;

use super::calls::Calls;
use super::inboxes::Inboxes;
use super::intake::Intake;
use super::output::Output;
use super::searches::Searches;
use super::subscriptions::Subscriptions;

/// A session with its calls, subscriptions, searches and inboxes.
pub(crate) struct Rpc {
    pub(crate) session: Session,
    pub(crate) output: Output,
    pub(crate) calls: Calls,
    pub(crate) intake: Intake,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) searches: Searches,
    pub(crate) inboxes: Inboxes,
}

impl Rpc {
    /// Creates the state of a session without calls.
    pub(crate) fn new(session: Session, output: Output) -> Self {
        Self {
            calls: Calls::new(output.clone()),
            intake: Intake::new(),
            subscriptions: Subscriptions::new(output.clone()),
            searches: Searches::new(output.clone()),
            inboxes: Inboxes::new(output.clone()),
            session,
            output,
        }
    }
}
