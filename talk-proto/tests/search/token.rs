//! The token of searches, which is shared with the socket.

use super::bench::{Bench, body, message};
use crate::support::{TokenSource, mark_as_read, seconds};

fn tokens(bench: &Bench) -> Vec<String> {
    let asked = bench.world.http_of("/search?");
    let tokens = asked.iter().map(|asked| {
        let token = asked.headers["authorization"].to_str();
        token.unwrap().to_owned()
    });
    tokens.collect()
}

#[test]
fn search_waits_for_token_without_socket() {
    let mut bench = Bench::messages();
    bench.world.tokens = TokenSource::After(seconds(5));
    bench.query("found");
    assert!(bench.asked().is_empty());
    bench.world.run_for(seconds(5));
    assert_eq!(bench.asked().len(), 1);
    assert_eq!(bench.world.log.token_fetches.len(), 1);
    assert!(bench.world.log.sockets.is_empty());
}

#[test]
fn search_rejected_token_is_replaced_once() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    bench.world.http_answer(bench.http(), 401, "{}");
    bench.world.run_for(seconds(30));
    assert_eq!(tokens(&bench), ["Bearer token-1", "Bearer token-2"]);
    let asked = bench.asked();
    assert_eq!(asked[0], asked[1]);
    bench.answer(&[message("m1", "c1")], None);
    assert_eq!(bench.outcome(request).0, ["m1"]);

    let request = bench.query("again");
    bench.world.http_answer(bench.http(), 401, "{}");
    bench.world.run_for(seconds(30));
    let refusal = r#"{"errorCode": "BAD_TOKEN", "reasons": ["old"]}"#;
    bench.world.http_answer(bench.http(), 401, refusal);
    let error = bench.error(request).to_string();
    assert!(error.contains("401 BAD_TOKEN"), "{error}");
    assert_eq!(bench.asked().len(), 4, "no third attempt");
    assert_eq!(bench.world.end(), None);
}

#[test]
fn search_shares_token_fetch_with_socket() {
    let mut bench = Bench::messages();
    bench.world.call(mark_as_read("c1"));
    bench.query("found");
    let http = bench.http();
    let other = bench
        .world
        .start_search(talk_proto::search::SearchKind::Messages);
    bench.world.set_query(other, "other", &Default::default());
    bench.world.run();
    assert_eq!(bench.world.log.token_fetches.len(), 1);
    bench.world.tokens = TokenSource::After(seconds(3));
    bench.world.http_head(http, 401);
    bench.world.http_head(bench.http(), 401);
    bench.world.run_for(seconds(60));
    assert_eq!(bench.world.log.token_fetches.len(), 2);
    assert_eq!(tokens(&bench)[2..], ["Bearer token-2", "Bearer token-2"]);
    assert_eq!(bench.world.log.sockets.len(), 1, "renewed in place");
}

#[test]
fn search_late_rejection_keeps_newer_token() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    let http = bench.http();
    bench.world.set_token("newer-token").unwrap();
    bench.world.run();
    bench.world.http_head(http, 401);
    bench.world.run();
    assert_eq!(tokens(&bench), ["Bearer token-1", "Bearer newer-token"]);
    assert_eq!(bench.world.log.token_fetches.len(), 1);
    let text = body(&[message("m1", "c1")], None);
    bench.world.http_answer(bench.http(), 200, &text);
    assert_eq!(bench.outcome(request).0, ["m1"]);
}

/// A header cannot contain a line break.
#[test]
fn search_token_invalid_in_header_fails() {
    let mut bench = Bench::messages();
    bench.world.set_token("two\nlines").unwrap();
    let request = bench.query("found");
    let error = bench.error(request).to_string();
    assert!(error.contains("header value"), "{error}");
    assert!(bench.asked().is_empty());
    assert_eq!(
        bench.updates().last().unwrap().1,
        talk_proto::search::SearchStatus::CanLoadMore
    );
    assert_eq!(bench.world.end(), None);
}
