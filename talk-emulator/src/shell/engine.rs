//! The one task that owns the [`Server`]: everything that happens reaches it through one channel,
//! in order, and what the server wants done leaves it for the queues of the connections.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::outbox::{Outbox, TooSlow};
use crate::server::{ConnectionId, Output, Server, Time};

/// Inputs that may wait before those who bring more have to wait themselves.
const INPUT_QUEUE: usize = 1024;

/// Inputs taken in one go before their outputs are sent.
const BATCH: usize = 64;

/// The emulator has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the emulator has stopped; start a new one")]
pub struct Stopped;

type Call = Box<dyn FnOnce(&mut Core, Time) + Send>;

enum Input {
    Open {
        connection: ConnectionId,
        app: String,
        user: String,
        outbox: Outbox,
    },
    Frame {
        connection: ConnectionId,
        text: String,
    },
    Closed {
        connection: ConnectionId,
    },
    Call(Call),
}

/// The way to the task; clones share it.
#[derive(Clone)]
pub(crate) struct Engine {
    inputs: mpsc::Sender<Input>,
}

/// What the task owns; calls get it to themselves.
pub(crate) struct Core {
    pub(crate) server: Server,
    outboxes: BTreeMap<ConnectionId, Outbox>,
    /// Told when the last connection is gone.
    deserted: Option<oneshot::Sender<()>>,
}

/// The task itself.
pub(crate) struct EngineTask {
    core: Core,
    clock: Clock,
    inputs: mpsc::Receiver<Input>,
}

impl Engine {
    pub(crate) fn new(server: Server, clock: Clock) -> (Self, EngineTask) {
        let (sender, inputs) = mpsc::channel(INPUT_QUEUE);
        let core = Core {
            server,
            outboxes: BTreeMap::new(),
            deserted: None,
        };
        let task = EngineTask {
            core,
            clock,
            inputs,
        };
        (Self { inputs: sender }, task)
    }

    pub(crate) async fn open(
        &self,
        connection: ConnectionId,
        app: String,
        user: String,
        outbox: Outbox,
    ) -> Result<(), Stopped> {
        self.send(Input::Open {
            connection,
            app,
            user,
            outbox,
        })
        .await
    }

    pub(crate) async fn frame(
        &self,
        connection: ConnectionId,
        text: String,
    ) -> Result<(), Stopped> {
        self.send(Input::Frame { connection, text }).await
    }

    pub(crate) async fn closed(&self, connection: ConnectionId) -> Result<(), Stopped> {
        self.send(Input::Closed { connection }).await
    }

    /// Runs `call` between two inputs; what it makes the server want done follows at once.
    pub(crate) async fn call<R: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Core, Time) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        let (answer, answered) = oneshot::channel();
        let call: Call = Box::new(move |core, now| {
            // A caller that is gone wants no answer.
            let _ = answer.send(call(core, now));
        });
        self.send(Input::Call(call)).await?;
        answered.await.map_err(|_| Stopped)
    }

    async fn send(&self, input: Input) -> Result<(), Stopped> {
        self.inputs.send(input).await.map_err(|_| Stopped)
    }
}

impl EngineTask {
    /// Runs the server until nobody can reach it any more.
    pub(crate) async fn run(mut self) {
        loop {
            let due = self
                .core
                .server
                .poll_timeout()
                .map(|due| self.clock.instant(due));
            tokio::select! {
                input = self.inputs.recv() => {
                    let Some(input) = input else { return };
                    self.take(input);
                }
                () = wait_until(due) => self.core.server.tick(self.clock.now()),
            }
            self.core.drain(self.clock.now());
        }
    }

    fn take(&mut self, first: Input) {
        self.core.handle(self.clock.now(), first);
        for _ in 1..BATCH {
            let Ok(input) = self.inputs.try_recv() else {
                return;
            };
            self.core.handle(self.clock.now(), input);
        }
    }
}

impl Core {
    fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Open {
                connection,
                app,
                user,
                outbox,
            } => {
                self.outboxes.insert(connection, outbox);
                self.server.open(now, connection, &app, &user);
            }
            Input::Frame { connection, text } => {
                // What a connection said before it was cut may still be on its way.
                if self.outboxes.contains_key(&connection) {
                    self.server.handle_frame(now, connection, &text);
                }
            }
            Input::Closed { connection } => {
                self.outboxes.remove(&connection);
                self.server.closed(now, connection);
                self.tell_deserted();
            }
            Input::Call(call) => call(self, now),
        }
    }

    /// Cuts every connection without a word, as a failing network does.
    pub(crate) fn drop_connections(&mut self, now: Time) {
        for connection in std::mem::take(&mut self.outboxes).into_keys() {
            self.server.closed(now, connection);
        }
    }

    /// Closes every connection with a word; what is returned resolves when the last one is gone.
    pub(crate) fn close_connections(&mut self, code: u16) -> oneshot::Receiver<()> {
        for outbox in self.outboxes.values() {
            outbox.send_close(code);
        }
        let (deserted, gone) = oneshot::channel();
        self.deserted = Some(deserted);
        self.tell_deserted();
        gone
    }

    fn tell_deserted(&mut self) {
        if self.outboxes.is_empty()
            && let Some(deserted) = self.deserted.take()
        {
            // Whoever waited may have given up.
            let _ = deserted.send(());
        }
    }

    fn drain(&mut self, now: Time) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::SendFrame { connection, text } => {
                    let Some(outbox) = self.outboxes.get(&connection) else {
                        continue;
                    };
                    if let Err(TooSlow) = outbox.send_text(text) {
                        self.outboxes.remove(&connection);
                        self.server.closed(now, connection);
                    }
                }
                Output::Close {
                    connection,
                    code: Some(code),
                } => {
                    if let Some(outbox) = self.outboxes.get(&connection) {
                        outbox.send_close(code);
                    }
                }
                Output::Close {
                    connection,
                    code: None,
                } => {
                    self.outboxes.remove(&connection);
                }
            }
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
