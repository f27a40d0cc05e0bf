//! Typing that is reported until a guard is dropped.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::select;
use talk_proto::{Call, RetrySafety, model::ConversationId};

use crate::handle::{Handle, Sleeper};

/// The interval between two reports: half of the time for which a report is valid.
const INTERVAL: Duration = Duration::from_secs(5);

/// A guard that reports the user as typing until the guard is dropped, created by
/// [`ConversationRef::typing`](crate::ConversationRef::typing).
///
/// ```no_run
/// # async fn answer() -> String { String::new() }
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
/// let typing = conversation.typing();
/// let answer = answer().await;
/// drop(typing);
/// conversation.send(answer).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping the guard ends the typing"]
pub struct TypingGuard {
    /// Dropping it stops the task.
    _stop: oneshot::Sender<()>,
}

impl TypingGuard {
    pub(super) fn new(handle: &Handle, conversation: ConversationId) -> Self {
        let (stop, stopped) = oneshot::channel();
        let reporting = handle.clone();
        handle.spawn(move |sleeper| async move {
            let reports = pin!(report(reporting, conversation, sleeper));
            select(reports, stopped).await;
        });
        Self { _stop: stop }
    }
}

/// Reports the user as typing until the session ends or the server refuses a report. A report waits
/// for the connection, and the next report waits for the answer to the previous one.
async fn report(handle: Handle, conversation: ConversationId, sleeper: Sleeper) {
    loop {
        let call = Call::MarkAsTyping {
            conversation: conversation.clone(),
        };
        if let Err(error) = handle.call_done(call).await
            && error.retry_safety() == RetrySafety::Never
        {
            return;
        }
        sleeper.call(INTERVAL).await;
    }
}

impl fmt::Debug for TypingGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypingGuard").finish_non_exhaustive()
    }
}
