//! What the live half asks of every store.

use serde_json::value::RawValue;

use super::FetchId;
use super::context::Context;
use super::key::{Dependent, ViewerId};
use crate::changes::Changes;
use crate::command::RequestId;
use crate::error::RequestError;
use crate::snapshot::{Snapshot, Update};
use crate::wire::ServerEvent;

/// The body of an answer, or why there is none.
pub(super) type Answer<'a> = Result<Option<&'a RawValue>, RequestError>;

/// One thing that the server tells about, shared by all who look at it.
pub(super) trait Store {
    /// Subscribes, if the connection is ready. Called once for each connection.
    fn open(&mut self, cx: &mut Context);

    /// The connection is gone.
    fn lost(&mut self);

    /// Ends the subscription and lets go of what the store shows.
    fn close(&mut self, cx: &mut Context);

    /// Whether the server was asked to tell of the thing.
    fn is_open(&self, cx: &Context) -> bool;

    /// Whether it is shown, even if by others who are told of it.
    fn is_wanted(&self) -> bool;

    /// Whether it takes a subscription of its own to keep it up to date.
    fn needs_subscription(&self) -> bool {
        self.is_wanted()
    }

    /// Ends the subscription of what others are told of.
    fn relax(&mut self, cx: &mut Context) {
        let _ = cx;
    }

    /// Whether something may be missing.
    fn may_fetch(&self, cx: &Context) -> bool {
        let _ = cx;
        true
    }

    /// Sends what is missing.
    fn fetch(&mut self, cx: &mut Context);

    /// Takes the answer to a load.
    fn answer(&mut self, fetch: FetchId, answer: Answer<'_>, cx: &mut Context);

    /// Applies an event that concerns the thing.
    fn handle_event(&mut self, event: &ServerEvent, cx: &mut Context);

    /// A user that it shows has changed.
    fn user_changed(&mut self, dependent: &Dependent, cx: &mut Context);

    /// Those who look at it.
    fn viewers(&self) -> Vec<ViewerId>;

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut Context);

    /// Returns the requests for more that the viewer had open.
    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId>;

    /// Loads more for a viewer of a list.
    fn load_more(&mut self, viewer: ViewerId, request: RequestId, count: usize, cx: &mut Context) {
        let _ = (viewer, request, count, cx);
    }

    /// Forgets a request for more.
    fn cancel_more(&mut self, viewer: ViewerId, request: RequestId) {
        let _ = (viewer, request);
    }

    /// Gives its viewers what they have not seen.
    fn review(&mut self, cx: &Context, news: &mut Vec<News>);
}

/// What a viewer has not seen yet.
pub(super) struct News {
    pub(super) viewer: ViewerId,
    pub(super) update: Option<Update>,
    /// Requests for more that are satisfied by it.
    pub(super) resolved: Vec<RequestId>,
    /// What a `get` fails with, though a subscription shows that there is nothing.
    pub(super) refusal: Option<RequestError>,
}

impl News {
    /// A snapshot of what is no list.
    pub(super) fn of(viewer: ViewerId, snapshot: Snapshot) -> Self {
        Self {
            viewer,
            update: Some(Update {
                snapshot,
                changes: Changes::Reset,
            }),
            resolved: Vec::new(),
            refusal: None,
        }
    }
}
