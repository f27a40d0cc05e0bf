//! The actions of calls.

use serde_json::value::RawValue;
use talk_tokio::UploadFuture;

use super::calls::Job;
use super::output::Answer;
use super::state::Rpc;

/// The action of a parsed line, before it is started.
pub(crate) enum Action {
    /// A call, which is answered when it completes.
    Call(Job),
    /// An upload, which reports its progress.
    Upload(UploadFuture),
    /// A subscription, a search or an inbox. The answer to the line is its number.
    Start(Start),
    /// An action that completes at once.
    Now(Box<dyn FnOnce(&mut Rpc) -> Answer>),
}

pub(crate) type Start = Box<dyn FnOnce(&mut Rpc, Box<RawValue>)>;
