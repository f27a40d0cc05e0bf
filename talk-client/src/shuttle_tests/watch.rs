//! A [`Watch`] with concurrent watchers.

use std::sync::Arc;

use shuttle::future::block_on;
use shuttle::thread;

use super::check_interleavings;
use crate::sync::{Newer, Watch};

const LAST: u32 = 3;

#[test]
fn watch_yields_last_value_then_end() {
    check_interleavings(|| {
        let watch = Arc::new(Watch::new(0));
        let watchers = [(); 2].map(|()| {
            let watch = Arc::clone(&watch);
            thread::spawn(move || block_on(watch_to_the_end(&watch)))
        });
        for value in 1..=LAST {
            watch.set(value);
        }
        watch.close();
        for watcher in watchers {
            assert_eq!(watcher.join().unwrap(), LAST);
        }
    });
}

/// Follows the values until the watch is closed, and returns the last one.
async fn watch_to_the_end(watch: &Watch<u32>) -> u32 {
    let (mut last, mut seen, mut changed) = (0, 0, None);
    loop {
        match watch.newer(seen) {
            Newer::Value(value, version) => {
                assert!(value >= last && version > seen);
                (last, seen) = (value, version);
            }
            Newer::Closed => return last,
            Newer::Unchanged => match changed.take() {
                None => changed = Some(watch.listen()),
                Some(changed) => changed.await,
            },
        }
    }
}
