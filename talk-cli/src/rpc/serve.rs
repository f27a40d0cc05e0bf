//! The loop that reads and executes lines.

use std::future::pending;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use talk_tokio::{Session, SessionError, TransportError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::action::Action;
use super::args::Args;
use super::connection_line::ConnectionLine;
use super::dispatch::prepare;
use super::input::RawLine;
use super::intake::Intake;
use super::line::Line;
use super::output::Output;
use super::state::Rpc;
use super::uploads;
use crate::commands::{report_lost_messages, report_store};
use crate::failure::Failure;
use crate::stdout::stdout_closed;
use crate::terminal::Printer;

/// The time limit of the driver's answers after the session's end. The driver answers immediately.
const END_GRACE: Duration = Duration::from_secs(1);

/// The reason for the loop's end.
enum End {
    /// The input has ended and nothing is pending.
    Input,
    /// The reader has closed the output.
    Unread,
    /// The session has ended with an error.
    Session(SessionError),
}

/// Executes lines until the input or the session ends.
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
            // The receiver is only gone after the loop has ended.
            let _ = fail.send(error.clone());
        });
        let mut states = self.session.connection_states();
        let session = self.session.clone();
        let mut reports = pin!(report_store(&session, Printer::new(true)));
        let mut shown = ConnectionLine::default();
        let mut drained: Option<Pin<Box<Sleep>>> = None;
        let mut unread = pin!(stdout_closed());
        loop {
            if drained.is_some() && self.is_quiet() {
                return End::Input;
            }
            self.intake.update(self.calls.in_flight());
            tokio::select! {
                biased;
                Ok(error) = &mut failed => return End::Session(error),
                () = self.output.closed() => return End::Unread,
                () = &mut unread => return End::Unread,
                Some(state) = states.next() => {
                    if shown.update(state) {
                        self.output.connection(&shown).await;
                    }
                }
                () = self.calls.answered() => {
                    if let Some(drained) = &mut drained {
                        // The limit counts from the last answer.
                        drained.as_mut().reset(Instant::now() + drain_timeout);
                    }
                }
                () = self.subscriptions.feeds.moved() => {}
                () = self.searches.feeds.moved() => {}
                () = self.inboxes.feeds.moved() => {}
                read = next_lines(&self.output, &mut lines),
                    if drained.is_none() && self.intake.is_open(self.calls.unwritten()) =>
                {
                    match read {
                        Some(lines) => lines.into_iter().for_each(|line| self.handle(line)),
                        None => drained = Some(Box::pin(sleep(drain_timeout))),
                    }
                }
                () = self.intake.stalled(), if drained.is_none() => {}
                never = &mut reports => match never {},
                () = until(&mut drained) => return End::Input,
            }
        }
    }

    /// Returns `true` if nothing is pending. Subscriptions with a first snapshot do not count.
    fn is_quiet(&self) -> bool {
        self.calls.unwritten() == 0
            && !self.subscriptions.feeds.any_starting()
            && !self.searches.feeds.any_starting()
            && !self.inboxes.feeds.any_starting()
    }

    /// Executes a line without waiting, so that the calls of lines that arrived together are made
    /// together.
    fn handle(&mut self, line: RawLine) {
        let line = match line.and_then(|text| Line::parse(&text)) {
            Ok(line) => line,
            Err(bad) => return self.refuse(bad.id, bad.failure),
        };
        if !self.intake.accepts(&line.call, self.calls.in_flight()) {
            return self.refuse(line.id, Intake::too_many_calls());
        }
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
                self.calls.answer(line.id, answer);
            }
        }
    }

    fn refuse(&mut self, id: Box<serde_json::value::RawValue>, failure: Failure) {
        self.calls.answer(id, Err(failure));
    }

    /// Ends everything that is still pending after the end of input.
    async fn finish(mut self, drain_timeout: Duration) {
        let state = self.session.connection_state();
        let late = TransportError::Deadline {
            after: drain_timeout,
            maybe_happened: true,
            idempotent: false,
            last_failure: state.last_failure().map(str::to_owned),
        };
        let late = late.into();
        self.calls.stop_all(&late);
        self.searches.cancel_all(&late);
        self.calls.all_answered().await;
        self.searches.feeds.all_ended().await;
        self.inboxes.close_all(&late);
        self.inboxes.feeds.all_ended().await;
        self.subscriptions.unsubscribe_all();
        self.subscriptions.feeds.all_ended().await;
        report_lost_messages(&self.session, Printer::new(true)).await;
        self.session.shutdown().await;
    }

    /// Reports the end of the session to all calls, searches and subscriptions.
    async fn fail(mut self, failure: Failure) {
        // The driver answers pending calls, some of which may have succeeded just before.
        let _ = timeout(END_GRACE, self.calls.all_answered()).await;
        self.calls.stop_all(&failure);
        self.calls.all_answered().await;
        let _ = timeout(END_GRACE, self.searches.feeds.all_ended()).await;
        let _ = timeout(END_GRACE, self.inboxes.feeds.all_ended()).await;
        let _ = timeout(END_GRACE, self.subscriptions.feeds.all_ended()).await;
        self.output.session_ended(&failure).await;
    }
}

/// Waits for room for answers, and returns the next lines.
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
