//! A subscription slot with concurrent updates, polls and ends.

use std::future::poll_fn;
use std::sync::Arc;

use shuttle::future::block_on;
use shuttle::thread;
use talk_proto::{Snapshot, changes::Changes, model::User};

use super::check_interleavings;
use crate::subscription::SubscriptionState;
use crate::subscription::slot::{SnapshotSink, SnapshotSlot};

type UserSlot = SnapshotSlot<Option<Arc<User>>>;

const SHOWN: u32 = 3;

fn snapshot(number: u32) -> Snapshot {
    let user = User::new("u".try_into().unwrap(), number.to_string());
    Snapshot::User(Some(Arc::new(user)))
}

fn number(user: Option<Arc<User>>) -> u32 {
    user.unwrap().name.parse().unwrap()
}

/// Starts a thread that updates the slot a few times.
fn show(slot: &Arc<UserSlot>) -> thread::JoinHandle<()> {
    let slot = Arc::clone(slot);
    thread::spawn(move || {
        for n in 1..=SHOWN {
            slot.update(snapshot(n), Changes::Reset, Vec::new());
        }
    })
}

fn take(slot: &UserSlot) -> Option<u32> {
    let last_yielded = block_on(poll_fn(|cx| slot.poll_update(cx)));
    last_yielded.map(|(user, ..)| number(user))
}

#[test]
fn slot_yields_last_snapshot_and_none_twice() {
    check_interleavings(|| {
        let slot = Arc::new(UserSlot::new());
        let driver = show(&slot);
        let mut last = 0;
        while last < SHOWN {
            let next = take(&slot).expect("it has not ended");
            assert!(next > last);
            last = next;
        }
        driver.join().unwrap();
    });
}

#[test]
fn slot_end_reaches_all_waiters_once() {
    check_interleavings(|| {
        let slot = Arc::new(UserSlot::new());
        let driver = show(&slot);
        let enders = [(); 2].map(|()| {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.finish(SubscriptionState::Unsubscribed))
        });
        let waiter = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || block_on(slot.wait_until(|state| state.is_final().then_some(()))))
        };
        let mut last = 0;
        while let Some(next) = take(&slot) {
            assert!(next > last);
            last = next;
        }
        let ended = enders.map(|ender| ender.join().unwrap());
        assert!(
            ended[0] != ended[1],
            "exactly one call ends the subscription"
        );
        waiter.join().unwrap();
        driver.join().unwrap();
        assert_eq!(slot.state(), SubscriptionState::Unsubscribed);
        assert_eq!(take(&slot), None);
    });
}
