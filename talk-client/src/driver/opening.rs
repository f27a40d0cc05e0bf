//! The start of a session with a store: commands wait until the store is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use talk_proto::storage::StoreError;
use talk_proto::{SessionError, Timestamp, TransportError};

use super::clock::Clock;
use super::store::{self, CLOSE_TIMEOUT, OpenStore};
use super::timer::Timer;
use super::{Driver, StoreSource, end_session, sleeper};
use crate::handle::{Command, Shared};
use crate::options::TalkOptions;
use crate::registry;
use crate::store::{Store, StoreState};
use crate::transport::{BoxFuture, Transport};

/// A session whose store is being opened. Dropping it ends the session.
pub(crate) struct Opening<T: Transport> {
    transport: T,
    /// `None` after they were passed to the driver.
    options: Option<TalkOptions>,
    shared: Arc<Shared>,
    clock: Clock,
    timer: Timer,
    opened: BoxFuture<'static, Result<OpenStore, StoreError>>,
    /// Set while another session has the lock of the store.
    is_in_use: Arc<AtomicBool>,
    waiting: Vec<Waiting>,
    call_timeout: Option<Duration>,
}

/// A command that waits, with the deadline and the time-out of its call.
struct Waiting {
    command: Command,
    deadline: Option<(Timestamp, Duration)>,
}

impl<T: Transport> Opening<T> {
    pub(crate) fn new(
        transport: T,
        store: Arc<dyn Store>,
        options: TalkOptions,
        shared: Arc<Shared>,
    ) -> Self {
        let key = options.store_key();
        let (timeout, sleeper) = (options.store_timeout, sleeper(&transport));
        let is_in_use = Arc::<AtomicBool>::default();
        let opened = store::open(store, key, timeout, sleeper, Arc::clone(&is_in_use));
        Self {
            clock: Clock::new(transport.now()),
            timer: Timer::default(),
            opened: Box::pin(opened),
            is_in_use,
            waiting: Vec::new(),
            call_timeout: options.call_timeout,
            options: Some(options),
            shared,
            transport,
        }
    }

    /// Runs the session until it has ended.
    pub(crate) async fn run(mut self) {
        let driver = std::future::poll_fn(|cx| self.poll(cx)).await;
        drop(self);
        if let Some(driver) = driver {
            driver.run().await;
        }
    }

    /// Completes with the driver when the store is open, or with `None` if the session has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Driver<T>>> {
        while let Poll::Ready(commands) = self.shared.commands.poll_commands(cx) {
            for command in commands {
                if !self.handle_command(command) {
                    return self.stop();
                }
            }
        }
        match self.opened.as_mut().poll(cx) {
            Poll::Ready(Ok(opened)) => Poll::Ready(self.start_driver(opened)),
            Poll::Ready(Err(error)) => {
                self.shared.store.set(StoreState::Failing(error.clone()));
                self.end(SessionError::Store(error));
                Poll::Ready(None)
            }
            Poll::Pending if self.expire(cx) => Poll::Pending,
            Poll::Pending => self.stop(),
        }
    }

    fn stop(&mut self) -> Poll<Option<Driver<T>>> {
        self.shared.store.set(StoreState::Closed);
        self.end(SessionError::Shutdown);
        Poll::Ready(None)
    }

    /// Returns `false` if the session has to end.
    fn handle_command(&mut self, command: Command) -> bool {
        match command {
            Command::Shutdown | Command::HandlesReleased => {
                // Messages that wait for the outbox are stored before the session ends.
                let is_outbox = |waiting: &Waiting| matches!(waiting.command, Command::Outbox(_));
                if !self.waiting.iter().any(is_outbox) {
                    return !self.may_stop(&command);
                }
                let deadline = Some((self.now() + CLOSE_TIMEOUT, CLOSE_TIMEOUT));
                self.waiting.push(Waiting { command, deadline });
            }
            Command::Spawn(make) => {
                let task = make.call(sleeper(&self.transport));
                self.transport.spawn(task);
            }
            Command::Cancel { id } => {
                self.waiting
                    .retain(|waiting| waiting.command.id() != Some(id));
            }
            command => {
                let timeout = command.timeout(self.call_timeout);
                let now = self.now();
                let deadline = timeout.map(|timeout| (now + timeout, timeout));
                self.waiting.push(Waiting { command, deadline });
            }
        }
        true
    }

    /// Returns `true` if the command ends the session.
    fn may_stop(&self, command: &Command) -> bool {
        match command {
            Command::Shutdown => true,
            Command::HandlesReleased => registry::remove_unless_used(&self.shared),
            _ => false,
        }
    }

    fn now(&mut self) -> Timestamp {
        self.clock.now(self.transport.now())
    }

    fn start_driver(&mut self, opened: OpenStore) -> Option<Driver<T>> {
        let now = self.now();
        let shared = Arc::clone(&self.shared);
        let options = self.options.take()?;
        let mut driver = Driver::with_store(
            self.transport.clone(),
            options,
            shared,
            StoreSource::Open(Box::new(opened)),
        );
        for Waiting {
            mut command,
            deadline,
        } in std::mem::take(&mut self.waiting)
        {
            if let Some((deadline, _)) = deadline {
                command.set_timeout(deadline.saturating_since(now));
            }
            driver.handle_command(now, command);
        }
        driver.drain_outputs();
        Some(driver)
    }

    /// Fails the calls that have waited too long, and wakes the task at the next deadline. Returns
    /// `false` if the session has to end.
    fn expire(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            let now = self.now();
            let is_late = |waiting: &mut Waiting| waiting.deadline.is_some_and(|(at, _)| at <= now);
            let late: Vec<_> = self.waiting.extract_if(.., is_late).collect();
            for Waiting { command, deadline } in late {
                if self.may_stop(&command) {
                    return false;
                }
                let cause = match self.is_in_use.load(Ordering::Relaxed) {
                    true => StoreError::InUse.to_string(),
                    false => "the store has not answered yet".to_owned(),
                };
                let after = deadline.map(|(_, after)| after).unwrap_or_default();
                let error = TransportError::Deadline {
                    after,
                    maybe_happened: false,
                    idempotent: false,
                    last_failure: Some(cause),
                };
                command.reject(&error.into());
            }
            let deadlines = self.waiting.iter().filter_map(|waiting| waiting.deadline);
            let Some(next) = deadlines.map(|(at, _)| at).min() else {
                return true;
            };
            let timer = self.timer.poll(cx, &self.transport, now, next);
            if timer.is_pending() {
                return true;
            }
        }
    }

    fn end(&mut self, error: SessionError) {
        end_session(&self.shared, error);
        let error = self.shared.end_error();
        for waiting in std::mem::take(&mut self.waiting) {
            waiting.command.reject(&error);
        }
    }
}

impl<T: Transport> Drop for Opening<T> {
    fn drop(&mut self) {
        // After the store is open, the driver ends the session.
        if self.options.is_some() {
            self.end(SessionError::DriverStopped);
            // Releases the lock before the shutdown completes.
            self.opened = Box::pin(std::future::pending());
            self.shared.close_states();
            self.shared.termination.set_driver_stopped();
        }
    }
}
