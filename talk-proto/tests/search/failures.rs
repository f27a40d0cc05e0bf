//! Failed searches, which continue afterwards.

use talk_proto::{
    HttpFailure, HttpId, RequestError, RequestId, ServerError, TransportError,
    search::{SearchKind, SearchStatus},
};

use super::bench::{Bench, body, message};
use crate::support::{World, seconds, unpaced};

fn http_error(error: &RequestError) -> bool {
    matches!(error, RequestError::Transport(TransportError::Http(_)))
}

/// Makes a query whose response begins with this text.
fn begin(bench: &mut Bench, text: &str) -> (RequestId, HttpId) {
    let request = bench.query("found");
    let http = bench.http();
    bench.world.http_head(http, 200);
    bench.world.http_chunk(http, text);
    (request, http)
}

fn assert_cut_off(bench: &Bench, request: RequestId) {
    assert_eq!(
        bench.error(request),
        TransportError::ResponseTooLarge.into()
    );
    assert!(bench.world.http_of("/search?")[0].cancelled);
}

#[test]
fn search_refused_reports_code() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    let refusal = r#"{"errorCode": "PLAN_LIMIT", "reasons": ["upgrade"]}"#;
    bench.world.http_answer(bench.http(), 402, refusal);
    let refused = ServerError::new(402, "PLAN_LIMIT", vec!["upgrade".to_owned()]);
    assert_eq!(bench.error(request), refused.into());
    assert_ne!(bench.updates().last().unwrap().1, SearchStatus::Searching);
}

#[test]
fn search_refusal_unreadable_body_keeps_status() {
    for body in ["", "<html>", "[]", &"x".repeat(200_000)] {
        let mut bench = Bench::messages();
        let request = bench.query("found");
        bench.world.http_answer(bench.http(), 403, body);
        assert_eq!(
            bench.error(request),
            ServerError::new(403, "", vec![]).into()
        );
    }
}

#[test]
fn search_lost_connection_can_be_retried() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    let http = bench.http();
    bench.world.http_head(http, 200);
    let text = body(&[message("m2", "c1"), message("m1", "c1")], Some("next"));
    let cut = text.find("\n,").unwrap() + 1;
    bench.world.http_chunk(http, &text[..cut]);
    let failure = HttpFailure::Network("reset".to_owned());
    bench.world.http_fail(http, failure);
    assert!(http_error(&bench.error(request)));
    let stands = (vec!["m2".to_owned()], SearchStatus::CanLoadMore);
    assert_eq!(bench.updates().last(), Some(&stands));

    let again = bench.more(Some(5));
    bench.answer(&[message("m2", "c1"), message("m1", "c1")], Some("next"));
    assert_eq!(bench.outcome(again).0, ["m2", "m1"], "nothing twice");
    let asked = bench.asked();
    assert_eq!(asked[1], asked[0].replace("limit=3", "limit=5"));
}

#[test]
fn search_later_page_failed_can_be_retried() {
    let mut bench = Bench::messages().found(&[message("m3", "c1")], Some("next"));
    let more = bench.more(None);
    let failure = HttpFailure::Network("reset".to_owned());
    bench.world.http_fail(bench.http(), failure);
    assert!(http_error(&bench.error(more)));
    let again = bench.more(None);
    bench.answer(&[message("m2", "c1")], None);
    assert_eq!(bench.outcome(again), (vec!["m3".into(), "m2".into()], true));
    let asked = bench.asked();
    assert_eq!(asked[1], asked[2]);
}

#[test]
fn search_response_cut_anywhere_is_an_error() {
    let text = body(&[message("m2", "c1"), message("m1", "c1")], Some("next"));
    let cuts = (0..40).chain(text.len() - 40..text.len());
    for cut in cuts {
        let mut bench = Bench::messages();
        let request = bench.query("found");
        bench.world.http_answer(bench.http(), 200, &text[..cut]);
        assert!(http_error(&bench.error(request)), "cut at {cut}");
    }
}

#[test]
fn search_endless_line_is_cut_off() {
    let mut bench = Bench::messages();
    let (request, http) = begin(&mut bench, "{\"data\":[\n");
    let piece = "x".repeat(1 << 20);
    for _ in 0..17 {
        bench.world.http_chunk(http, &piece);
    }
    assert_cut_off(&bench, request);
}

#[test]
fn search_response_beyond_its_limit_is_cut_off() {
    let mut bench = Bench::messages();
    let (request, http) = begin(&mut bench, "{\"data\":[\n");
    for n in 0..100 {
        let line = format!("{}\n,", message(&format!("m{n}"), &format!("c{n}")));
        bench.world.http_chunk(http, &line);
    }
    assert_cut_off(&bench, request);
    let (shown, status) = bench.updates().pop().unwrap();
    assert_eq!((shown.len(), status), (3, SearchStatus::CanLoadMore));
    let lookups = bench.world.log.work();
    let asked = lookups.filter(|request| request.line().starts_with("GET /me/conversations/"));
    assert_eq!(
        asked.count(),
        6,
        "the items beyond the limit are not looked up"
    );

    // The page can be loaded again.
    let again = bench.more(Some(5));
    bench.answer(&[message("m1", "c1")], None);
    assert_eq!(bench.outcome(again).0, ["m1"]);
}

#[test]
fn search_response_of_unreadable_results_is_cut_off() {
    let mut bench = Bench::conversations();
    let (request, http) = begin(&mut bench, "{\"data\":[\n1\n,2\n,3\n");
    assert!(!bench.world.is_resolved(request));
    bench.world.http_chunk(http, ",4\n");
    assert_cut_off(&bench, request);
}

#[test]
fn search_response_of_empty_lines_is_cut_off() {
    for start in ["", "{\"data\":[\n"] {
        let mut options = unpaced();
        options.limits.frame_size = 1 << 20;
        let mut bench = Bench::in_world(World::new(options), SearchKind::Messages);
        let (request, http) = begin(&mut bench, start);
        let piece = "\n".repeat(1 << 16);
        for _ in 0..17 {
            bench.world.http_chunk(http, &piece);
        }
        assert_cut_off(&bench, request);
    }
}

#[test]
fn search_silent_for_a_minute_times_out() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    bench.world.run_for(seconds(59));
    bench.world.http_head(bench.http(), 200);
    bench.world.run_for(seconds(59));
    assert!(!bench.world.is_resolved(request));
    bench.world.run_for(seconds(1));
    assert!(http_error(&bench.error(request)));
    assert!(bench.world.http_of("/search?")[0].cancelled);
}

#[test]
fn search_unclosed_response_delays_nothing() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    let http = bench.http();
    bench.world.http_head(http, 200);
    let mut text = body(&[message("m1", "c1")], Some("next"));
    text.push('\n');
    bench.world.http_chunk(http, &text);
    assert_eq!(bench.outcome(request).0, ["m1"]);
    let more = bench.more(None);
    bench.answer(&[message("m0", "c1")], None);
    assert_eq!(bench.outcome(more).0, ["m1", "m0"]);
}

#[test]
fn search_refused_conversation_fails_page_once() {
    let mut bench = Bench::messages();
    bench.world.script.add(|request| {
        let refused = request.line() == "GET /me/conversations/c1";
        refused.then(|| crate::support::Answer::refuse(403, "NOT_NOW"))
    });
    let request = bench.query("found");
    bench.answer(&[message("m2", "c1"), message("m1", "c1")], None);
    let refused = ServerError::new(403, "NOT_NOW", vec!["because".to_owned()]);
    assert_eq!(bench.error(request), refused.into());
    // The invariants check that the session's internal requests are not reported to the caller.
    bench.world.run_for(seconds(5));
}

#[test]
fn search_response_without_status_is_malformed() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    bench.world.http_end(bench.http());
    assert_eq!(bench.error(request), TransportError::Malformed.into());
}
