//! Behaviour that only some runtimes have: their start and their end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use smol::Executor;
use talk_client::{Error, Runtime, SessionError, SubscriptionState, get_talk_session_on};
use talk_smol::SmolRuntime;
use talk_tokio::{NoRuntimeError, TokioRuntime, get_talk_session};
use tokio::runtime::Builder;

use super::adapter::{Adapter, TokioCurrentThread, run};
use super::server::{Answer, Server};

#[test]
fn tokio_without_runtime_is_an_error() {
    assert_eq!(TokioRuntime::current().unwrap_err(), NoRuntimeError);
    let server = Server::start(|_| None);
    let outcome = get_talk_session(server.options("alice"));
    assert_eq!(outcome.unwrap_err(), NoRuntimeError);
}

#[test]
fn tokio_handle_works_outside_runtime() {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let runtime = TokioRuntime::new(tokio.handle().clone());
    let (sender, receiver) = mpsc::channel();
    let sleep = runtime.sleep(Duration::from_millis(1));
    let from_task = sender.clone();
    runtime.spawn(async move {
        sleep.await;
        from_task.send("task").unwrap();
    });
    assert_eq!(receiver.recv(), Ok("task"));
    runtime.spawn_blocking(move || sender.send("blocking work").unwrap());
    assert_eq!(receiver.recv(), Ok("blocking work"));
}

#[test]
fn tokio_runtime_end_ends_session() {
    let mut builder = Builder::new_multi_thread();
    let tokio = builder.worker_threads(1).enable_all().build().unwrap();
    let runtime = TokioRuntime::new(tokio.handle().clone());
    run::<TokioCurrentThread>(ends_with(runtime, || tokio.shutdown_background()));
}

#[test]
fn smol_executor_end_ends_session() {
    let executor = Arc::new(Executor::new());
    let runtime = SmolRuntime::new(&executor);
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    let thread = std::thread::spawn(move || smol::block_on(executor.run(stopped.recv())));
    run::<TokioCurrentThread>(ends_with(runtime, || {
        drop(stop);
        assert!(thread.join().unwrap().is_err());
    }));
}

/// Checks that a session on `runtime` ends when `stop` stops the runtime.
async fn ends_with(runtime: impl Runtime, stop: impl FnOnce()) {
    let server = Server::start(|request| {
        let body = serde_json::json!({});
        request.is_send().then_some(Answer::Hold(body))
    });
    let session = get_talk_session_on(&runtime, server.options("alice"));
    let failures = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failures);
    session.on_error(move |error| {
        assert_eq!(*error, SessionError::DriverStopped);
        count.fetch_add(1, Ordering::Relaxed);
    });
    let subscription = session.user("bob").unwrap().subscribe();
    let conversation = session.conversation("c").unwrap();
    let send = TokioCurrentThread::spawn(async move { conversation.send("hi").await });
    server.until(|record| record.texts() == ["hi"]).await;

    stop();
    let stopped = Error::Session(SessionError::DriverStopped);
    assert_eq!(send.await.unwrap_err(), stopped);
    assert_eq!(subscription.terminated().await, Err(stopped.clone()));
    assert_eq!(subscription.state(), SubscriptionState::Error(stopped));
    assert_eq!(failures.load(Ordering::Relaxed), 1);

    let next = TokioCurrentThread::session(server.options("alice"));
    assert_ne!(session, next);
    next.current_user().set(Default::default()).await.unwrap();

    // A new session on a stopped runtime fails at once.
    let late = get_talk_session_on(&runtime, server.options("bob"));
    assert_eq!(late.error(), Some(SessionError::DriverStopped));
}
