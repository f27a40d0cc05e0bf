//! Calls that are being made.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::output::{Answer, Output};
use crate::failure::Failure;

/// What answers a call.
pub(crate) type Job = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Calls that are not answered yet.
pub(crate) struct Calls {
    output: Output,
    tasks: JoinSet<u64>,
    pending: BTreeMap<u64, Pending>,
    next: u64,
}

struct Pending {
    id: Arc<RawValue>,
    stop: oneshot::Sender<Failure>,
}

impl Calls {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            tasks: JoinSet::new(),
            pending: BTreeMap::new(),
            next: 0,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Makes the call at once, so that calls are made in the order of their lines, and answers it
    /// when it is done.
    pub(crate) fn start(&mut self, id: Box<RawValue>, mut job: Job) {
        let key = self.next;
        self.next += 1;
        let id: Arc<RawValue> = id.into();
        let (stop, stopped) = oneshot::channel();
        let pending = Pending {
            id: Arc::clone(&id),
            stop,
        };
        self.pending.insert(key, pending);

        // The task that polls it from now on has a waker of its own.
        let first = job.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let output = self.output.clone();
        self.tasks.spawn(async move {
            let answer = match first {
                Poll::Ready(answer) => answer,
                Poll::Pending => tokio::select! {
                    biased;
                    answer = job => answer,
                    Ok(failure) = stopped => Err(failure),
                },
            };
            output.answer(&id, &answer).await;
            key
        });
    }

    /// Stops the calls with this ID, which are answered with the failure. `false` = there are none.
    pub(crate) fn stop(&mut self, id: &RawValue, failure: &Failure) -> bool {
        let stopped: Vec<_> = self
            .pending
            .extract_if(.., |_, pending| same(&pending.id, id))
            .collect();
        let any = !stopped.is_empty();
        for (_, pending) in stopped {
            // It may have been answered in this very moment.
            let _ = pending.stop.send(failure.clone());
        }
        any
    }

    /// Stops all of them.
    pub(crate) fn stop_all(&mut self, failure: &Failure) {
        for (_, pending) in std::mem::take(&mut self.pending) {
            let _ = pending.stop.send(failure.clone());
        }
    }

    /// Done when a call has been answered; never while there is none.
    pub(crate) async fn answered(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(key)) => drop(self.pending.remove(&key)),
            // A task that panicked has said so on standard error; nobody is going to answer.
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Done when all have been answered.
    pub(crate) async fn all_answered(&mut self) {
        while !self.tasks.is_empty() {
            self.answered().await;
        }
    }
}

/// Returns `true` if two IDs are the same JSON.
pub(crate) fn same(a: &RawValue, b: &RawValue) -> bool {
    let value = |id: &RawValue| serde_json::from_str::<serde_json::Value>(id.get()).ok();
    a.get() == b.get() || value(a).is_some_and(|a| value(b) == Some(a))
}
