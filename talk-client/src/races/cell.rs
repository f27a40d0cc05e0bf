//! A subscription between the driver that shows, the consumer that takes, and whoever ends it.

use std::future::poll_fn;
use std::sync::Arc;

use shuttle::future::block_on;
use shuttle::thread;
use talk_proto::{Changes, Snapshot, User};

use super::in_many_orders;
use crate::subscription::SubscriptionState;
use crate::subscription::cell::{Cell, Display};

type UserCell = Cell<Option<Arc<User>>>;

const SHOWN: u32 = 3;

fn snapshot(number: u32) -> Snapshot {
    let user = User::new("u".try_into().unwrap(), number.to_string());
    Snapshot::User(Some(Arc::new(user)))
}

fn number(user: Option<Arc<User>>) -> u32 {
    user.unwrap().name.parse().unwrap()
}

/// Shows some snapshots.
fn show(cell: &Arc<UserCell>) -> thread::JoinHandle<()> {
    let cell = Arc::clone(cell);
    thread::spawn(move || {
        for n in 1..=SHOWN {
            cell.show(snapshot(n), Changes::Reset);
        }
    })
}

fn take(cell: &UserCell) -> Option<u32> {
    let taken = block_on(poll_fn(|cx| cell.poll_take(cx)));
    taken.map(|(user, _)| number(user))
}

#[test]
fn the_last_snapshot_is_always_taken_and_none_twice() {
    in_many_orders(|| {
        let cell = Arc::new(UserCell::new());
        let driver = show(&cell);
        let mut last = 0;
        while last < SHOWN {
            let next = take(&cell).expect("it has not ended");
            assert!(next > last);
            last = next;
        }
        driver.join().unwrap();
    });
}

#[test]
fn the_end_reaches_everybody_once() {
    in_many_orders(|| {
        let cell = Arc::new(UserCell::new());
        let driver = show(&cell);
        let enders = [(); 2].map(|()| {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.finish(SubscriptionState::Unsubscribed))
        });
        let waiter = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || block_on(cell.wait_until(|state| state.is_final().then_some(()))))
        };
        let mut last = 0;
        while let Some(next) = take(&cell) {
            assert!(next > last);
            last = next;
        }
        let ended = enders.map(|ender| ender.join().unwrap());
        assert!(ended[0] != ended[1], "one of them ended it");
        waiter.join().unwrap();
        driver.join().unwrap();
        assert_eq!(cell.state(), SubscriptionState::Unsubscribed);
        assert_eq!(take(&cell), None);
    });
}
