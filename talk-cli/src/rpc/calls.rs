//! Calls in flight.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::output::{Answer, Output};
use crate::failure::Failure;
use crate::json;

/// A future that completes with the answer to a call.
pub(crate) type Job = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The calls that are not answered yet.
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

    /// Returns the number of calls in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.pending.len()
    }

    /// Returns the number of answers that are not written yet, including those of calls in flight.
    pub(crate) fn unwritten(&self) -> usize {
        self.tasks.len()
    }

    /// Writes an answer that is known already.
    pub(crate) fn answer(&mut self, id: Box<RawValue>, answer: Answer) {
        let key = self.next_key();
        let output = self.output.clone();
        self.tasks.spawn(async move {
            output.answer(&id, &answer).await;
            key
        });
    }

    /// Starts the call at once, so that calls are made in the order of their lines. Writes the
    /// answer when it completes.
    pub(crate) fn start(&mut self, id: Box<RawValue>, mut job: Job) {
        let key = self.next_key();
        let id: Arc<RawValue> = id.into();
        let (stop, stopped) = oneshot::channel();
        let pending = Pending {
            id: Arc::clone(&id),
            stop,
        };
        self.pending.insert(key, pending);

        // The spawned task registers its own waker when it polls the job.
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

    /// Stops the calls with this ID, whose answer is the failure. Returns `true` if there is one.
    pub(crate) fn stop(&mut self, id: &RawValue, failure: &Failure) -> bool {
        let stopped: Vec<_> = self
            .pending
            .extract_if(.., |_, pending| same(&pending.id, id))
            .collect();
        let any = !stopped.is_empty();
        for (_, pending) in stopped {
            // The call may have completed in the meantime.
            let _ = pending.stop.send(failure.clone());
        }
        any
    }

    /// Stops all calls, whose answer is the failure.
    pub(crate) fn stop_all(&mut self, failure: &Failure) {
        for (_, pending) in std::mem::take(&mut self.pending) {
            let _ = pending.stop.send(failure.clone());
        }
    }

    fn next_key(&mut self) -> u64 {
        let key = self.next;
        self.next += 1;
        key
    }

    /// Completes when a call has been answered. Without calls, never completes.
    pub(crate) async fn answered(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(key)) => drop(self.pending.remove(&key)),
            // The task has panicked. The panic is on standard error, and the call has no answer.
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Completes when all calls have been answered.
    pub(crate) async fn all_answered(&mut self) {
        while !self.tasks.is_empty() {
            self.answered().await;
        }
    }
}

/// Returns `true` if two IDs are the same JSON. `1` and `1.0` are equal. Unpaired surrogates, which
/// are replaced in arguments, are equal to U+FFFD.
pub(crate) fn same(a: &RawValue, b: &RawValue) -> bool {
    let value = |id: &RawValue| json::from_str::<Value>(id.get()).ok();
    a.get() == b.get()
        || value(a)
            .zip(value(b))
            .is_some_and(|(a, b)| is_equal(&a, &b))
}

fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() != b.is_f64() => {
            a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let is_in_b = |(name, a)| b.get(name).is_some_and(|b| is_equal(a, b));
            a.len() == b.len() && a.iter().all(is_in_b)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_lone_surrogates_can_be_compared() {
        let id = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        assert!(same(&id(r#""a\ud83d""#), &id(r#""a\ufffd""#)));
        assert!(!same(&id(r#""a\ud83d""#), &id(r#""a""#)));
    }

    #[test]
    fn ids_with_equal_numbers_are_the_same() {
        let id = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        assert!(same(&id("1"), &id("1.0")));
        assert!(same(
            &id(r#"{"a": [1, null]}"#),
            &id(r#"{"a": [1e0, null]}"#)
        ));
        for other in ["1.5", "\"1\"", "[1]", "true"] {
            assert!(!same(&id("1"), &id(other)), "{other}");
        }
        assert!(!same(&id("9007199254740993"), &id("9007199254740992")));
    }
}
