//! The adapters, and the trait that the suite needs of them.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use talk_client::{Runtime, Session, TalkOptions};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// The time limit of a scenario. A scenario that hangs fails.
const FOR_EVER: Duration = Duration::from_secs(120);

/// A runtime and its adapter crate.
pub(crate) trait Adapter: 'static {
    type Runtime: Runtime;

    /// Runs a scenario in the way that programs on this runtime do.
    fn block_on<T>(scenario: impl Future<Output = T>) -> T;

    /// Returns the runtime that the scenario runs on.
    fn runtime() -> Self::Runtime;

    /// Calls the crate's `get_talk_session`.
    fn session(options: TalkOptions) -> Session;

    /// Spawns a task and returns a future of its result.
    fn spawn<T: Send + 'static>(
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send {
        let (sender, receiver) = oneshot::channel();
        Self::runtime().spawn(async move {
            let _ = sender.send(task.await);
        });
        async { receiver.await.unwrap() }
    }
}

/// Runs a scenario, and fails if it takes too long.
pub(crate) fn run<A: Adapter>(scenario: impl Future<Output = ()>) {
    A::block_on(async {
        let too_long = pin!(A::runtime().sleep(FOR_EVER));
        if let Either::Right(_) = select(pin!(scenario), too_long).await {
            panic!("the time limit has passed");
        }
    });
}

/// Yields to other tasks.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Returns the runtime of the servers. It has its own thread, so that it does not share the
/// scenario's runtime.
pub(crate) fn servers() -> &'static tokio::runtime::Runtime {
    static SERVERS: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    });
    &SERVERS
}

pub(crate) struct TokioCurrentThread;

impl Adapter for TokioCurrentThread {
    type Runtime = talk_tokio::TokioRuntime;

    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        let mut builder = Builder::new_current_thread();
        builder.enable_all().build().unwrap().block_on(scenario)
    }

    fn runtime() -> Self::Runtime {
        talk_tokio::TokioRuntime::current().unwrap()
    }

    fn session(options: TalkOptions) -> Session {
        talk_tokio::get_talk_session(options).unwrap()
    }
}

pub(crate) struct TokioMultiThread;

impl Adapter for TokioMultiThread {
    type Runtime = talk_tokio::TokioRuntime;

    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).enable_all();
        builder.build().unwrap().block_on(scenario)
    }

    fn runtime() -> Self::Runtime {
        talk_tokio::TokioRuntime::current().unwrap()
    }

    fn session(options: TalkOptions) -> Session {
        talk_tokio::get_talk_session(options).unwrap()
    }
}

pub(crate) struct AsyncStd;

impl Adapter for AsyncStd {
    type Runtime = talk_async_std::AsyncStdRuntime;

    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        async_std::task::block_on(scenario)
    }

    fn runtime() -> Self::Runtime {
        talk_async_std::AsyncStdRuntime
    }

    fn session(options: TalkOptions) -> Session {
        talk_async_std::get_talk_session(options).unwrap()
    }
}

pub(crate) struct Smol;

impl Adapter for Smol {
    type Runtime = talk_smol::SmolRuntime;

    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        smol::block_on(scenario)
    }

    fn runtime() -> Self::Runtime {
        talk_smol::SmolRuntime::global()
    }

    fn session(options: TalkOptions) -> Session {
        talk_smol::get_talk_session(options).unwrap()
    }
}
