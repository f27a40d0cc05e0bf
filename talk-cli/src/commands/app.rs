//! The common parts of all commands.

use std::convert::Infallible;
use std::future::pending;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use talk_tokio::store::StoreState;
use talk_tokio::{
    ConnectionState, ConnectionStateStream, ConversationRef, Error, ListSnapshot, MessageRef,
    ParticipantRef, Session, Subscription, TransportError, UserRef,
};
use tokio::time::{sleep, timeout};

use crate::exit::{CliError, Outcome, runtime};
use crate::session_plan::SessionPlan;
use crate::stdout::stdout_closed;
use crate::terminal::{Printer, Show};

/// The time limit of a call without `--timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The time for which the store must fail before the failure is reported.
const STORE_GRACE: Duration = Duration::from_millis(500);

/// The time limit of a snapshot of the outbox.
const OUTBOX_TIMEOUT: Duration = Duration::from_secs(1);

/// A session, and the printer of results.
pub(crate) struct App {
    pub(crate) session: Session,
    pub(crate) printer: Printer,
    pub(super) timeout: Duration,
}

/// Opens a session for one command, and closes it afterwards.
pub(crate) fn run(
    session: SessionPlan,
    command: impl AsyncFnOnce(&App) -> Result<(), CliError>,
) -> Outcome {
    runtime()?.block_on(async {
        let host = session.host.clone();
        let timeout = session.common.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let printer = Printer::new(session.common.json);
        let app = App {
            session: session
                .call_timeout(timeout)
                .store_timeout(timeout)
                .open()?,
            printer,
            timeout,
        };
        let reports = report_problems(&app.session, &host, printer);
        let outcome = tokio::select! {
            biased;
            outcome = command(&app) => outcome,
            never = reports => match never {},
        };
        app.session.shutdown().await;
        let outcome = match app.session.store_state() {
            // The change of the outbox is not written.
            StoreState::Failing(error) => outcome.and(Err(Error::Store(error).into())),
            _ => outcome,
        };
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

/// Reports why the server or the store cannot be used. The command itself keeps waiting.
pub(crate) async fn report_problems(session: &Session, host: &str, printer: Printer) -> Infallible {
    tokio::select! {
        never = report_failures(session.connection_states(), host, printer) => never,
        never = report_store(session, printer) => never,
    }
}

/// Reports each new reason for which the server is unreachable.
async fn report_failures(
    mut states: ConnectionStateStream,
    host: &str,
    printer: Printer,
) -> Infallible {
    let mut reported = None;
    while let Some(state) = states.next().await {
        match state.last_failure() {
            Some(reason) if reported.as_deref() != Some(reason) => {
                printer.notice(&format!("cannot reach {host}: {reason}; still trying"));
                reported = Some(reason.to_owned());
            }
            None if state == ConnectionState::Ready => reported = None,
            _ => {}
        }
    }
    pending().await
}

/// Reports each new reason for which the session does not use its store.
pub(crate) async fn report_store(session: &Session, printer: Printer) -> Infallible {
    let mut states = session.store_states();
    let mut reported = None;
    while states.next().await.is_some() {
        // A command that fails for this reason reports it as its error.
        sleep(STORE_GRACE).await;
        let problem = match session.store_state() {
            StoreState::Failing(error) | StoreState::Unavailable(error) => {
                format!("{error}; still trying")
            }
            StoreState::Standby => "another process uses the store; waiting until it ends".into(),
            StoreState::Active => {
                reported = None;
                continue;
            }
            _ => continue,
        };
        if reported.as_ref() != Some(&problem) {
            printer.notice(&problem);
            reported = Some(problem);
        }
    }
    pending().await
}

/// Reports the unsent messages of an outbox in memory, which end with the process.
pub(crate) async fn report_lost_messages(session: &Session, printer: Printer) {
    if session.store_state() != StoreState::InMemory {
        return;
    }
    let entries = session.subscribe_outbox();
    // The outbox is in memory, so its snapshot needs no connection.
    let Ok(Ok(entries)) = timeout(OUTBOX_TIMEOUT, entries.connected()).await else {
        return;
    };
    let unsent = entries.iter().filter(|entry| entry.message().is_none());
    match unsent.count() {
        0 => {}
        count => printer.notice(&format!(
            "{count} of the queued messages may not be sent, and are lost without --store"
        )),
    }
}

impl App {
    pub(crate) fn user(&self, id: &str) -> Result<UserRef, Error> {
        Ok(self.session.user(id)?)
    }

    pub(crate) fn conversation(&self, id: &str) -> Result<ConversationRef, Error> {
        Ok(self.session.conversation(id)?)
    }

    pub(crate) fn participant(
        &self,
        conversation: &str,
        user: &str,
    ) -> Result<ParticipantRef, Error> {
        Ok(self.conversation(conversation)?.participant(user)?)
    }

    pub(crate) fn message(&self, conversation: &str, message: &str) -> Result<MessageRef, Error> {
        Ok(self.conversation(conversation)?.message(message)?)
    }

    /// Returns the first snapshot. The time limit is that of a call.
    pub(crate) async fn first<S: Clone + PartialEq>(
        &self,
        subscription: &Subscription<S>,
    ) -> Result<S, Error> {
        timeout(self.timeout, subscription.connected())
            .await
            .unwrap_or_else(|_| Err(self.late(true)))
    }

    /// Returns the error of a request that was not sent in time.
    pub(super) fn late(&self, idempotent: bool) -> Error {
        let state = self.session.connection_state();
        Error::from(TransportError::Deadline {
            after: self.timeout,
            maybe_happened: false,
            idempotent,
            last_failure: state.last_failure().map(str::to_owned),
        })
    }

    /// Runs a command that follows a subscription. The command ends without an error when the
    /// reader of the output closes it.
    pub(crate) async fn follow(
        &self,
        command: impl Future<Output = Result<(), CliError>>,
    ) -> Result<(), CliError> {
        tokio::select! {
            biased;
            outcome = command => outcome,
            () = stdout_closed() => Ok(()),
        }
    }

    /// Prints every snapshot, until the subscription ends with an error.
    pub(crate) async fn watch<S>(&self, mut subscription: Subscription<S>) -> Result<(), CliError>
    where
        S: Clone + PartialEq + Serialize + Show,
    {
        self.first(&subscription).await?;
        self.follow(async {
            while let Some(update) = subscription.next().await {
                self.printer.print(&update.snapshot)?;
            }
            Ok(subscription.terminated().await?)
        })
        .await
    }

    /// Loads up to `count` items of a list.
    pub(crate) async fn load<S>(
        &self,
        subscription: &Subscription<S>,
        count: usize,
    ) -> Result<S, Error>
    where
        S: ListSnapshot + Clone + PartialEq,
    {
        let mut shown = self.first(subscription).await?;
        while shown
            .window()
            .is_some_and(|window| window.len() < count && !window.loaded_all())
        {
            subscription.load_more(None).await?;
            shown = subscription.connected().await?;
        }
        Ok(shown)
    }

    /// Loads up to `count` items of a list, and takes the latest snapshot out of the stream, so
    /// that the next update contains only later changes.
    pub(crate) async fn load_next<S>(
        &self,
        subscription: &mut Subscription<S>,
        count: usize,
    ) -> Result<S, Error>
    where
        S: ListSnapshot + Clone + PartialEq,
    {
        let loaded = self.load(subscription, count).await?;
        match subscription.next().await {
            Some(update) => Ok(update.snapshot),
            None => subscription.terminated().await.map(|()| loaded),
        }
    }

    /// Prints up to `limit` items of a list, which may be absent.
    pub(crate) async fn list<S>(
        &self,
        subscription: Subscription<S>,
        limit: usize,
        absent: impl FnOnce() -> String,
    ) -> Result<(), CliError>
    where
        S: ListSnapshot<Item: Serialize + Show> + Clone + PartialEq,
    {
        let shown = self.load(&subscription, limit).await?;
        let Some(window) = shown.window() else {
            return Err(CliError::NotFound(absent()));
        };
        let items: Vec<_> = window.iter().take(limit).cloned().collect();
        Ok(self.printer.print_list(&items)?)
    }

    /// Prints a result. An absent result is an error.
    pub(crate) fn show<T: Serialize + Show>(
        &self,
        found: Option<T>,
        absent: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        match found {
            Some(found) => Ok(self.printer.print(&found)?),
            None => Err(CliError::NotFound(absent())),
        }
    }
}

/// Returns the description of an absent conversation for an error.
pub(crate) fn absent_conversation(id: &str) -> String {
    format!("no conversation {id:?} that this user is in")
}

/// Returns the description of an absent message for an error.
pub(crate) fn absent_message(conversation: &str, id: &str) -> String {
    format!("no message {id:?} in a conversation {conversation:?} of this user")
}
