//! The way from the handles to the driver.

use std::mem;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::command::Command;
use crate::sync::{Mutex, lock};

/// Commands in the order in which they were given.
///
/// It never blocks and never fails while it is open. Calls have taken a permit before, and
/// everything else is bounded by the handles that live.
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
    /// Puts a command in, or gives it back when the driver is gone.
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

    /// Everything that waits, which is at least one command.
    pub(crate) fn poll_commands(&self, cx: &mut Context<'_>) -> Poll<Vec<Command>> {
        self.driver.register(cx.waker());
        let commands = mem::take(&mut lock(&self.state).commands);
        if commands.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(commands)
    }

    /// Takes nothing any more, and gives back what nobody took.
    pub(crate) fn close(&self) -> Vec<Command> {
        let mut state = lock(&self.state);
        state.closed = true;
        mem::take(&mut state.commands)
    }
}
