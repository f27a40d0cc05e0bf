//! What the runtime promises beyond connections.

use std::sync::mpsc;
use std::time::Duration;

use talk_tokio::{NoRuntime, Runtime, TokioRuntime};

#[test]
fn outside_of_a_runtime_there_is_none() {
    assert_eq!(TokioRuntime::current().unwrap_err(), NoRuntime);
}

#[test]
fn a_handle_works_from_outside_of_the_runtime() {
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
