//! Inboxes of a session whose store another session uses.

use talk_proto::storage::StoreError;
use talk_proto::{CommandError, RequestError, SessionError};

use super::bench::{Bench, with};
use crate::support::seconds;

#[test]
fn store_lost_ends_inboxes_and_keeps_positions() {
    let mut bench = Bench::stored();
    bench.join("c1");
    bench.open(with(|_| {}));
    bench.post("c1", "a");
    bench.post("c1", "b");
    bench.ack(bench.delivery("a"));
    let (now, stale) = (bench.now, bench.delivery("b"));
    bench.session.close_store(now);
    bench.run_for(seconds(60));
    let lost = RequestError::Session(SessionError::Store(StoreError::Lost));
    let ended = talk_proto::inbox::InboxEvent::Ended { error: Some(lost) };
    assert_eq!(bench.inbox_events().last(), Some(&ended));
    let refused = bench.session.open_inbox(now, "bot", with(|_| {}));
    assert_eq!(refused, Err(CommandError::Standby));
    assert_eq!(bench.session.ack(now, stale), Ok(false));
    let refused = bench.session.reply(now, stale, "no".into());
    assert_eq!(refused, Err(CommandError::UnknownDelivery));
    assert!(bench.session.is_idle());

    bench.log.events.clear();
    let (now, records) = (bench.now, bench.store.records());
    bench.session.open_store(now, &records);
    bench.post("c1", "c");
    bench.open(with(|_| {}));
    assert_eq!(bench.texts(), ["b", "c"]);
    bench.ack(bench.delivery("b"));
    assert_eq!(bench.acked(), [bench.delivery("b")]);
}
