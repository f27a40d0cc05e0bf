//! The queue from the handles to the driver.

use std::mem;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::command::Command;
use crate::sync::{Mutex, lock};

/// Commands in the order of their submission.
///
/// Pushing never blocks, and never fails while the queue is open. Permits bound the calls in it,
/// and the number of handles bounds everything else.
#[derive(Default)]
pub(crate) struct CommandQueue {
    state: Mutex<State>,
    driver: AtomicWaker,
}

#[derive(Default)]
struct State {
    commands: Vec<Command>,
    closed: bool,
}

impl CommandQueue {
    /// Adds a command, or returns it if the queue is closed.
    pub(crate) fn push(&self, command: Command) -> Result<(), Command> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(command);
        }
        state.commands.push(command);
        drop(state);
        self.driver.wake();
        Ok(())
    }

    /// Takes all pending commands, at least one.
    pub(crate) fn poll_commands(&self, cx: &mut Context<'_>) -> Poll<Vec<Command>> {
        self.driver.register(cx.waker());
        let commands = mem::take(&mut lock(&self.state).commands);
        if commands.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(commands)
    }

    /// Closes the queue and returns the pending commands.
    pub(crate) fn close(&self) -> Vec<Command> {
        let mut state = lock(&self.state);
        state.closed = true;
        mem::take(&mut state.commands)
    }
}
