//! What all commands have in common.

use std::convert::Infallible;
use std::future::pending;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use talk_tokio::{
    ConnectionState, ConnectionStateStream, ConversationRef, Error, ListSnapshot, MessageRef,
    ParticipantRef, Session, Subscription, TransportError, UserRef,
};
use tokio::time::timeout;

use crate::exit::{CliError, Outcome, runtime};
use crate::seconds::seconds;
use crate::session_plan::SessionPlan;
use crate::stdout::stdout_closed;
use crate::terminal::{Printer, Show, sanitize};

/// What all commands take.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Print JSON, one value a line
    #[arg(long, global = true)]
    json: bool,
    /// How long to wait for an answer, in seconds
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value = "30",
        value_parser = seconds
    )]
    timeout: Duration,
}

/// A session, and where results go.
pub(crate) struct App {
    pub(crate) session: Session,
    pub(crate) printer: Printer,
    pub(super) timeout: Duration,
}

/// Opens a session for one command, and closes it afterwards.
pub(crate) fn run(
    session: SessionPlan,
    common: &Common,
    command: impl AsyncFnOnce(&App) -> Result<(), CliError>,
) -> Outcome {
    runtime()?.block_on(async {
        let host = session.host.clone();
        let app = App {
            session: session.call_timeout(common.timeout).open()?,
            printer: Printer::new(common.json),
            timeout: common.timeout,
        };
        let reports = report_failures(app.session.connection_states(), &host);
        let outcome = tokio::select! {
            biased;
            outcome = command(&app) => outcome,
            never = reports => match never {},
        };
        app.session.shutdown().await;
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

/// Prints each new reason for which the server cannot be reached. The command itself waits.
async fn report_failures(mut states: ConnectionStateStream, host: &str) -> Infallible {
    let mut reported = None;
    while let Some(state) = states.next().await {
        match state {
            ConnectionState::Waiting { reason, .. } if reported.as_ref() != Some(&reason) => {
                let reason = reported.insert(reason);
                let reason = sanitize::line(reason);
                eprintln!("talk: cannot reach {host}: {reason}; still trying");
            }
            ConnectionState::Ready => reported = None,
            _ => {}
        }
    }
    pending().await
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

    /// The first snapshot, in the time that an answer may take.
    pub(crate) async fn first<S: Clone + PartialEq>(
        &self,
        subscription: &Subscription<S>,
    ) -> Result<S, Error> {
        let late = TransportError::Deadline {
            after: self.timeout,
            maybe_happened: false,
            idempotent: true,
        };
        timeout(self.timeout, subscription.connected())
            .await
            .unwrap_or(Err(late.into()))
    }

    /// Runs a command that follows a subscription. It ends without an error when the reader of
    /// the output has gone.
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

    /// Loads so many items of a list, as far as there are.
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

    /// Loads so many items of a list, and takes the latest snapshot out of the stream, so that the
    /// changes of the next update begin there.
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

    /// Prints up to so many items of a list.
    pub(crate) async fn list<S>(
        &self,
        subscription: Subscription<S>,
        limit: usize,
    ) -> Result<(), CliError>
    where
        S: ListSnapshot<Item: Serialize + Show> + Clone + PartialEq,
    {
        let shown = self.load(&subscription, limit).await?;
        let items = shown
            .window()
            .map(|window| window.iter().take(limit).cloned().collect::<Vec<_>>());
        Ok(self.printer.print(&items)?)
    }
}
