//! Concurrent creation, drop and shutdown of sessions, with the real driver.

use shuttle::future::block_on;
use shuttle::thread;
use talk_proto::SessionError;

use super::check_interleavings;
use super::runtime::ShuttleRuntime;
use crate::error::Error;
use crate::options::TalkOptions;
use crate::session::{Session, get_talk_session_on};
use crate::subscription::SubscriptionState;

fn session(runtime: &ShuttleRuntime) -> Session {
    let options = TalkOptions::new("app", "alice").unwrap();
    get_talk_session_on(runtime, options.host("127.0.0.1:1").token("token"))
}

/// Runs `work` on two threads.
fn twice(work: impl Fn() + Clone + Send + Sync + 'static) {
    let threads = [(); 2].map(|()| thread::spawn(work.clone()));
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn session_ends_with_its_last_handle() {
    check_interleavings(|| {
        let runtime = ShuttleRuntime::new();
        let getting = runtime.clone();
        twice(move || {
            for _ in 0..2 {
                let session = session(&getting);
                let another = session.clone();
                drop(session);
                assert_eq!(another.error(), None);
            }
        });
        block_on(runtime.idle());
    });
}

#[test]
fn session_lingers_and_is_reused() {
    check_interleavings(|| {
        let runtime = ShuttleRuntime::new();
        let getting = runtime.clone();
        twice(move || {
            let subscription = session(&getting).current_user().subscribe();
            assert_eq!(subscription.state(), SubscriptionState::Pending);
            drop(subscription);
            assert_eq!(session(&getting).error(), None);
        });
        // Sleeps never end here, so a lingering connection needs a shutdown.
        block_on(session(&runtime).shutdown());
        block_on(runtime.idle());
    });
}

#[test]
fn shutdown_wakes_all_and_next_session_is_new() {
    check_interleavings(|| {
        let runtime = ShuttleRuntime::new();
        let getting = runtime.clone();
        twice(move || {
            let first = session(&getting);
            block_on(first.shutdown());
            assert_eq!(first.error(), Some(SessionError::Shutdown));
            assert_ne!(first, session(&getting));
        });
        block_on(runtime.idle());
    });
}

#[test]
fn runtime_stop_fails_pending_calls() {
    check_interleavings(|| {
        let runtime = ShuttleRuntime::new();
        let session = session(&runtime);
        let stopped = Error::Session(SessionError::DriverStopped);
        let call = session.current_user().set(Default::default());
        let calling = thread::spawn(move || block_on(call));
        let subscription = session.current_user().subscribe();
        let waiting = thread::spawn(move || block_on(subscription.terminated()));
        runtime.stop();
        assert_eq!(calling.join().unwrap(), Err(stopped.clone()));
        assert_eq!(waiting.join().unwrap(), Err(stopped));
        block_on(session.shutdown());
        // A session that has ended is not shared.
        assert_ne!(session, self::session(&ShuttleRuntime::new()));
    });
}

#[test]
fn call_dropped_releases_its_permit() {
    check_interleavings(|| {
        let runtime = ShuttleRuntime::new();
        let mut limits = talk_proto::Limits::default();
        limits.pending_calls = 1;
        let options = TalkOptions::new("app", "bob").unwrap();
        let options = options.host("127.0.0.1:1").token("token").limits(limits);
        let session = get_talk_session_on(&runtime, options);
        let user = session.current_user();
        let calls = [(); 2].map(|()| {
            let user = user.clone();
            shuttle::future::spawn(async move { user.set(Default::default()).await })
        });
        for call in &calls {
            call.abort();
        }
        // The call gets the permit of an aborted one, or fails with the session.
        let last = thread::spawn(move || block_on(user.set(Default::default())));
        block_on(session.shutdown());
        let ended = Error::Session(SessionError::Shutdown);
        assert_eq!(last.join().unwrap(), Err(ended));
        drop(session);
        block_on(runtime.idle());
    });
}
