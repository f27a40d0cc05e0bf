//! The loop that reads lines until there are no more.

use std::future::pending;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use talk_tokio::{ConnectionState, Session, SessionError, TransportError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::args::Args;
use super::dispatch::{Action, prepare};
use super::input::RawLine;
use super::line::Line;
use super::output::Output;
use super::state::Rpc;
use super::uploads;
use crate::failure::Failure;
use crate::stdout::stdout_closed;

/// The calls in flight above which lines wait: each may hold an answer that the reader of the
/// output has not taken.
const MAX_CALLS: usize = 1_000;

/// How long the driver has to answer everything after the session's end. It does so at once.
const END_GRACE: Duration = Duration::from_secs(1);

/// Why the loop ended.
enum End {
    /// The input ended, and there is nothing more to wait for.
    Input,
    /// Nobody reads the output.
    Unread,
    /// The session ended with an error.
    Session(SessionError),
}

/// Answers lines until they end or the session does.
pub(crate) async fn serve(
    session: Session,
    lines: mpsc::Receiver<Vec<RawLine>>,
    output: Output,
    drain_timeout: Duration,
) -> ExitCode {
    let mut rpc = Rpc::new(session, output);
    match rpc.run(lines, drain_timeout).await {
        End::Input => {
            rpc.finish(drain_timeout).await;
            ExitCode::SUCCESS
        }
        End::Unread => ExitCode::SUCCESS,
        End::Session(error) => {
            rpc.fail(error.into()).await;
            ExitCode::FAILURE
        }
    }
}

impl Rpc {
    async fn run(
        &mut self,
        mut lines: mpsc::Receiver<Vec<RawLine>>,
        drain_timeout: Duration,
    ) -> End {
        let (fail, mut failed) = oneshot::channel();
        self.session.on_error(|error| {
            // The receiver is gone only when the loop has ended.
            let _ = fail.send(error.clone());
        });
        let mut states = self.session.connection_states();
        let mut shown = "idle";
        let mut drained: Option<Pin<Box<Sleep>>> = None;
        let mut unread = pin!(stdout_closed());
        loop {
            if drained.is_some() && self.is_quiet() {
                return End::Input;
            }
            tokio::select! {
                biased;
                Ok(error) = &mut failed => return End::Session(error),
                () = self.output.closed() => return End::Unread,
                () = &mut unread => return End::Unread,
                Some(state) = states.next() => {
                    let name = name(&state, shown);
                    if name != std::mem::replace(&mut shown, name) {
                        self.output.session(shown, None).await;
                    }
                }
                () = self.calls.answered() => {
                    if let Some(drained) = &mut drained {
                        // The limit counts from the last answer.
                        drained.as_mut().reset(Instant::now() + drain_timeout);
                    }
                }
                () = self.subscriptions.moved() => {}
                () = self.searches.moved() => {}
                read = next_lines(&self.output, &mut lines),
                    if drained.is_none() && self.calls.len() < MAX_CALLS =>
                {
                    match read {
                        Some(lines) => lines.into_iter().for_each(|line| self.handle(line)),
                        None => drained = Some(Box::pin(sleep(drain_timeout))),
                    }
                }
                () = until(&mut drained) => return End::Input,
            }
        }
    }

    /// Returns `true` if nothing is under way. Subscriptions may go on, once they have shown
    /// something.
    fn is_quiet(&self) -> bool {
        self.calls.len() == 0 && !self.subscriptions.any_starting() && !self.searches.any_starting()
    }

    /// Starts what the line asks for. It never waits: calls of lines that arrive together are made
    /// together.
    fn handle(&mut self, line: RawLine) {
        let line = match line.and_then(|text| Line::parse(&text)) {
            Ok(line) => line,
            Err(bad) => return self.refuse(bad.id, bad.failure),
        };
        match prepare(self, &line.call, Args::new(line.args)) {
            Err(failure) => self.refuse(line.id, failure),
            Ok(Action::Call(job)) => self.calls.start(line.id, job),
            Ok(Action::Upload(upload)) => {
                let job = uploads::job(upload, line.id.clone(), self.output.clone());
                self.calls.start(line.id, job);
            }
            Ok(Action::Start(start)) => start(self, line.id),
            Ok(Action::Now(act)) => {
                let answer = act(self);
                self.calls
                    .start(line.id, Box::pin(std::future::ready(answer)));
            }
        }
    }

    fn refuse(&mut self, id: Box<serde_json::value::RawValue>, failure: Failure) {
        let answer = Err(failure);
        self.calls.start(id, Box::pin(std::future::ready(answer)));
    }

    /// Ends what the end of input leaves.
    async fn finish(mut self, drain_timeout: Duration) {
        let late = TransportError::Deadline {
            after: drain_timeout,
            maybe_happened: true,
            idempotent: false,
        };
        let late = late.into();
        self.calls.stop_all(&late);
        self.searches.cancel_all(&late);
        self.calls.all_answered().await;
        self.searches.all_ended().await;
        self.subscriptions.unsubscribe_all();
        self.subscriptions.all_ended().await;
        self.session.shutdown().await;
    }

    /// Tells everybody that the session has ended.
    async fn fail(mut self, failure: Failure) {
        // The driver answers what is pending: some of it may have succeeded just before.
        let _ = timeout(END_GRACE, self.calls.all_answered()).await;
        self.calls.stop_all(&failure);
        self.calls.all_answered().await;
        let _ = timeout(END_GRACE, self.searches.all_ended()).await;
        let _ = timeout(END_GRACE, self.subscriptions.all_ended()).await;
        self.output.session("error", Some(&failure)).await;
    }
}

/// The connection's state as it is told. The first attempt to connect says nothing: it is not known
/// yet whether anything is wrong.
fn name(state: &ConnectionState, before: &'static str) -> &'static str {
    match state {
        ConnectionState::Idle => "idle",
        ConnectionState::Ready => "connected",
        ConnectionState::Connecting if before == "idle" => "idle",
        _ => "reconnecting",
    }
}

/// Returns the lines that arrive next, once there is room for answers.
async fn next_lines(
    output: &Output,
    lines: &mut mpsc::Receiver<Vec<RawLine>>,
) -> Option<Vec<RawLine>> {
    output.has_room().await;
    lines.recv().await
}

async fn until(sleep: &mut Option<Pin<Box<Sleep>>>) {
    match sleep {
        Some(sleep) => sleep.await,
        None => pending().await,
    }
}
