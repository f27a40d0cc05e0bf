//! The end of a session, and those who want to be told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::future::block_on;
use shuttle::thread;
use talk_proto::SessionError;

use super::in_many_orders;
use crate::handle::End;

#[test]
fn a_handler_is_called_once_whenever_it_comes_and_whoever_ends_the_session() {
    in_many_orders(|| {
        let end = Arc::new(End::default());
        let enders = [SessionError::DriverStopped, SessionError::AppNotFound].map(|cause| {
            let end = Arc::clone(&end);
            thread::spawn(move || end.set(cause))
        });
        let calls = Arc::new(AtomicUsize::new(0));
        let key = end.attach({
            let (end, calls) = (Arc::clone(&end), Arc::clone(&calls));
            Box::new(move |cause| {
                assert_eq!(end.cause().as_ref(), Some(cause));
                calls.fetch_add(1, Ordering::Relaxed);
            })
        });
        for ender in enders {
            ender.join().unwrap();
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        if let Some(key) = key {
            end.detach(key);
        }
    });
}

#[test]
fn a_handler_that_is_taken_back_is_called_before_that_or_never() {
    in_many_orders(|| {
        let end = Arc::new(End::default());
        let calls = Arc::new(AtomicUsize::new(0));
        let key = end.attach({
            let calls = Arc::clone(&calls);
            Box::new(move |_| {
                calls.fetch_add(1, Ordering::Relaxed);
            })
        });
        let ender = {
            let end = Arc::clone(&end);
            thread::spawn(move || end.set(SessionError::AppNotFound))
        };
        end.detach(key.expect("it was attached before the end"));
        ender.join().unwrap();
        assert!(calls.load(Ordering::Relaxed) <= 1);
        assert_eq!(Arc::strong_count(&calls), 1, "the handler is gone");
    });
}

#[test]
fn who_waits_for_the_driver_to_go_is_told() {
    in_many_orders(|| {
        let end = Arc::new(End::default());
        let driver = {
            let end = Arc::clone(&end);
            thread::spawn(move || end.set_driver_gone())
        };
        block_on(end.driver_gone());
        driver.join().unwrap();
    });
}
