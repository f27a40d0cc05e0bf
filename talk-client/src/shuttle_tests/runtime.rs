//! A runtime of shuttle tasks, without a network, whose sleeps never end.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use event_listener::Event;
use futures_util::io::Cursor;
use shuttle::future::JoinHandle;

use crate::net::Runtime;
use crate::sync::{Mutex, lock, notify_all, wait_for};

#[derive(Clone)]
pub(super) struct ShuttleRuntime(Arc<Tasks>);

struct Tasks {
    state: Mutex<State>,
    changed: Event,
}

struct State {
    running: usize,
    is_stopped: bool,
    handles: Vec<JoinHandle<()>>,
}

impl ShuttleRuntime {
    pub(super) fn new() -> Self {
        Self(Arc::new(Tasks {
            state: Mutex::new(State {
                running: 0,
                is_stopped: false,
                handles: Vec::new(),
            }),
            changed: Event::new(),
        }))
    }

    /// Drops all tasks, also future ones.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.0.state);
        state.is_stopped = true;
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles {
            handle.abort();
        }
    }

    /// Waits until every task has ended.
    pub(super) async fn idle(&self) {
        wait_for(&self.0.changed, || {
            (lock(&self.0.state).running == 0).then_some(())
        })
        .await;
    }
}

/// A task that has not ended.
struct Running(Arc<Tasks>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.state).running -= 1;
        notify_all(&self.0.changed);
    }
}

impl Runtime for ShuttleRuntime {
    type TcpStream = Cursor<Vec<u8>>;

    async fn connect_tcp(&self, _: SocketAddr) -> io::Result<Self::TcpStream> {
        pending().await
    }

    fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + 'static {
        pending()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = lock(&self.0.state);
        if state.is_stopped {
            drop(state);
            return drop(task);
        }
        state.running += 1;
        let running = Running(Arc::clone(&self.0));
        let handle = shuttle::future::spawn(async move {
            // The task is dropped before it counts as ended.
            let _running = running;
            task.await;
        });
        state.handles.push(handle);
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        work();
    }
}
