//! The caps of the outbox.

use talk_proto::CommandError;
use talk_proto::outbox::EntryAction;

use super::bench::Bench;
use crate::support::{Network, conversation, seconds};

#[test]
fn entries_above_the_cap_are_refused() {
    let mut bench = Bench::with(|options| options.entries = 2, true);
    bench.network = Network::Refuse;
    let first = bench.enqueue("c1", "a");
    bench.enqueue("c2", "b");
    let now = bench.now;
    let full = bench.session.enqueue(now, conversation("c1"), "c".into());
    assert!(matches!(
        full,
        Err(CommandError::OutboxFull { entries: 2, .. })
    ));
    bench.run();
    assert!(bench.act(&first, EntryAction::Discard));
    bench.enqueue("c1", "c");
    bench.network = Network::Up(seconds(0));
    bench.run_for(seconds(60));
    assert_eq!(bench.texts().len(), 2);
    bench.enqueue("c1", "d");
}

#[test]
fn bytes_above_the_cap_are_refused() {
    let mut bench = Bench::with(|options| options.bytes = 1_000, true);
    bench.network = Network::Refuse;
    let entry = bench.enqueue("c1", "a");
    let now = bench.now;
    let text = "a".repeat(1_000);
    let full = bench
        .session
        .enqueue(now, conversation("c1"), text.as_str().into());
    assert!(matches!(
        full,
        Err(CommandError::OutboxFull { bytes: 1_000, .. })
    ));
    bench.run();
    let now = bench.now;
    let edit = EntryAction::Edit(text.into());
    let full = bench.session.update_entry(now, &entry, edit);
    assert!(matches!(full, Err(CommandError::OutboxFull { .. })));
    assert_eq!(bench.entry(&entry).plaintext(), "a");
}

#[test]
fn entry_larger_than_a_frame_is_refused() {
    let mut bench = Bench::stored();
    let mut options = bench.options.clone();
    options.limits.frame_size = 1_000;
    bench.restart_with(options);
    let now = bench.now;
    let text = "a".repeat(1_000);
    let refused = bench.session.enqueue(now, conversation("c1"), text.into());
    assert!(matches!(
        refused,
        Err(CommandError::TooLarge { limit: 1_000, .. })
    ));
}

#[test]
fn follow_up_above_the_cap_is_refused() {
    let mut bench = Bench::with(|options| options.bytes = 1_000, true);
    bench.network = Network::Refuse;
    let entry = bench.enqueue("c1", "a");
    bench.run();
    let now = bench.now;
    let edit = EntryAction::EditAfter("a".repeat(1_000).as_str().into());
    let full = bench.session.update_entry(now, &entry, edit);
    assert!(matches!(full, Err(CommandError::OutboxFull { .. })));
    assert!(bench.act(&entry, EntryAction::EditAfter("b".into())));
}
