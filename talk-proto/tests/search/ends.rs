//! Searches that are cancelled or ended.

use talk_proto::{CommandError, RequestError, SessionError, TransportError, search::SearchStatus};

use super::bench::{Bench, body, message};
use crate::support::{Answer, seconds};

#[test]
fn search_page_cancelled_can_be_retried() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    bench.world.cancel(request);
    bench.world.run();
    let cancelled = TransportError::Cancelled {
        maybe_happened: true,
        idempotent: true,
    };
    assert_eq!(bench.error(request), cancelled.into());
    assert!(bench.world.http_of("/search?")[0].cancelled);
    assert_eq!(bench.updates().last().unwrap().1, SearchStatus::CanLoadMore);
    let again = bench.more(None);
    bench.answer(&[message("m1", "c1")], None);
    assert_eq!(bench.outcome(again).0, ["m1"]);
}

#[test]
fn search_cancel_cancels_lookups() {
    let mut bench = Bench::messages();
    bench.world.script.add(|request| {
        let held = request.path.starts_with("/me/conversations/held");
        held.then_some(Answer::Silence)
    });
    let request = bench.query("found");
    bench.answer(&[message("m1", "held")], None);
    assert!(!bench.world.is_resolved(request));
    assert_eq!(bench.world.session.pending_calls(), 1);
    bench.world.cancel(request);
    bench.world.run_for(seconds(120));
    assert!(bench.world.socket().is_none(), "nothing is wanted any more");
    assert!(bench.world.session.is_idle());
}

#[test]
fn search_ended_resolves_with_results_so_far() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    let http = bench.http();
    bench.world.http_head(http, 200);
    let text = body(&[message("m1", "c1"), message("m0", "c1")], None);
    let cut = text.find("\n,").unwrap() + 1;
    bench.world.http_chunk(http, &text[..cut]);
    let now = bench.world.now;
    assert_eq!(bench.world.session.end_search(now, bench.search), Ok(()));
    bench.world.run();
    assert_eq!(bench.outcome(request), (vec!["m1".to_owned()], false));
    assert!(bench.world.http_of("/search?")[0].cancelled);
    let session = &mut bench.world.session;
    let again = session.end_search(now, bench.search);
    assert_eq!(again, Err(CommandError::Unknown));
    let query = session.set_query(now, bench.search, "x", &Default::default());
    assert_eq!(query, Err(CommandError::Unknown));
    let more = session.search_more(now, bench.search, None);
    assert_eq!(more, Err(CommandError::Unknown));
    bench.world.run();
}

#[test]
fn session_end_fails_every_search() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    let now = bench.world.now;
    bench.world.session.shutdown(now);
    bench.world.run();
    let ended = RequestError::Session(SessionError::Shutdown);
    assert_eq!(bench.error(request), ended);
    assert!(bench.world.http_of("/search?")[0].cancelled);
    let late = body(&[message("m1", "c1")], None);
    bench.world.http_answer(bench.http(), 200, &late);
    assert_eq!(bench.updates().len(), 1);
}

#[test]
fn search_survives_socket_loss() {
    let mut bench = Bench::messages();
    let mut lost = false;
    bench.world.script.add(move |request| {
        let first = request.path == "/me/conversations/c1" && !lost;
        lost |= first;
        first.then_some(Answer::Drop)
    });
    let request = bench.query("found");
    bench.answer(&[message("m1", "c1")], None);
    bench.world.run_for(seconds(60));
    assert_eq!(bench.outcome(request).0, ["m1"]);
    assert!(bench.world.log.sockets.len() > 1);
}
