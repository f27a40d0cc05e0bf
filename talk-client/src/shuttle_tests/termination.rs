//! The end of a session and its waiters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::future::block_on;
use shuttle::thread;
use talk_proto::SessionError;

use super::check_interleavings;
use crate::handle::Termination;

#[test]
fn error_handler_concurrent_ends_is_called_once() {
    check_interleavings(|| {
        let termination = Arc::new(Termination::default());
        let enders = [SessionError::DriverStopped, SessionError::AppNotFound].map(|cause| {
            let termination = Arc::clone(&termination);
            thread::spawn(move || termination.set(cause))
        });
        let calls = Arc::new(AtomicUsize::new(0));
        let key = termination.attach({
            let (termination, calls) = (Arc::clone(&termination), Arc::clone(&calls));
            move |cause: &SessionError| {
                assert_eq!(termination.cause().as_ref(), Some(cause));
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        for ender in enders {
            ender.join().unwrap();
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        if let Some(key) = key {
            termination.detach(key);
        }
    });
}

#[test]
fn error_handler_detached_is_never_called_later() {
    check_interleavings(|| {
        let termination = Arc::new(Termination::default());
        let calls = Arc::new(AtomicUsize::new(0));
        let key = termination.attach({
            let calls = Arc::clone(&calls);
            move |_: &SessionError| {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        let ender = {
            let termination = Arc::clone(&termination);
            thread::spawn(move || termination.set(SessionError::AppNotFound))
        };
        termination.detach(key.expect("it was attached before the end"));
        ender.join().unwrap();
        assert!(calls.load(Ordering::Relaxed) <= 1);
        assert_eq!(Arc::strong_count(&calls), 1, "the handler is gone");
    });
}

#[test]
fn driver_stop_wakes_waiters() {
    check_interleavings(|| {
        let termination = Arc::new(Termination::default());
        let driver = {
            let termination = Arc::clone(&termination);
            thread::spawn(move || termination.set_driver_stopped())
        };
        block_on(termination.driver_stopped());
        driver.join().unwrap();
    });
}
