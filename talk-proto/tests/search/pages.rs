//! The requests for pages, and their results.

use serde_json::json;
use talk_proto::{
    CommandError, Reply,
    filter::ConversationFilter,
    search::{SearchKind, SearchStatus},
};

use super::bench::{Bench, body, message, side};
use crate::support::Answer;
use SearchStatus::{CanLoadMore, LoadedAll, Searching};

fn updates(steps: &[(&[&str], SearchStatus)]) -> Vec<(Vec<String>, SearchStatus)> {
    let owned = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    steps
        .iter()
        .map(|(ids, status)| (owned(ids), *status))
        .collect()
}

#[test]
fn search_without_query_sends_nothing() {
    let mut bench = Bench::messages();
    let more = bench.more(None);
    assert_eq!(bench.outcome(more), (vec![], false));
    bench.world.run_for(crate::support::seconds(100));
    assert!(bench.world.log.http.is_empty());
    assert!(bench.world.log.sockets.is_empty());
    assert!(bench.updates().is_empty());
}

#[test]
fn search_url_encodes_query_twice() {
    let mut bench = Bench::messages();
    bench.query("a b/é&");
    bench.answer(&[message("m1", "c1")], Some("x/y z"));
    bench.more(None);
    bench.answer(&[message("m2", "c1")], Some("2"));
    bench.more(Some(50));
    assert_eq!(
        bench.asked(),
        [
            "/me/messages/search?searchString=a%2520b%252F%25C3%25A9%2526\
             &conversationFilter=%7B%7D&limit=3",
            "/me/messages/search?cursor=x%2Fy%20z&limit=10",
            "/me/messages/search?cursor=2&limit=50",
        ]
    );
    let asked = bench.world.http_of("/search?");
    assert!(asked.iter().all(|asked| asked.method == "GET"));
    assert_eq!(asked[0].headers["authorization"], "Bearer token-1");

    let mut bench = Bench::conversations();
    bench.query("x");
    assert!(bench.asked()[0].starts_with("/me/conversations/search?searchString=x&"));
}

#[test]
fn search_results_are_reported_one_by_one() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    let http = bench.http();
    bench.world.http_head(http, 200);
    let results = [
        message("m3", "c1"),
        message("m2", "c2"),
        message("m1", "c1"),
    ];
    let text = body(&results, Some("next"));
    // The result does not depend on the division into parts.
    for line in text.split_inclusive('\n') {
        let (start, end) = line.split_at(line.len() / 2);
        bench.world.http_chunk(http, start);
        bench.world.http_chunk(http, end);
    }
    assert_eq!(
        bench.updates(),
        updates(&[
            (&[], Searching),
            (&["m3"], Searching),
            (&["m3", "m2"], Searching),
            (&["m3", "m2", "m1"], Searching),
        ])
    );
    assert!(!bench.world.is_resolved(request));
    bench.world.http_end(http);
    assert_eq!(bench.updates()[4].1, CanLoadMore);
    let (found, loaded_all) = bench.outcome(request);
    assert_eq!(found, ["m3", "m2", "m1"]);
    assert!(!loaded_all);
}

#[test]
fn search_pages_add_up_until_all_is_loaded() {
    let mut bench = Bench::messages().found(&[message("m3", "c1")], Some("next"));
    let more = bench.more(None);
    bench.answer(&[message("m2", "c1"), message("m1", "c1")], None);
    let all: Vec<_> = ["m3", "m2", "m1"].map(str::to_owned).into();
    assert_eq!(bench.outcome(more), (all.clone(), true));
    assert_eq!(bench.updates().last(), Some(&(all.clone(), LoadedAll)));
    let asked = bench.asked().len();
    let again = bench.more(None);
    assert_eq!(bench.outcome(again), (all, true));
    assert_eq!(bench.asked().len(), asked);
}

#[test]
fn search_without_results_has_loaded_all() {
    let mut bench = Bench::conversations();
    let request = bench.query("nothing");
    bench.answer(&[], None);
    assert_eq!(bench.outcome(request), (vec![], true));
    assert_eq!(
        bench.updates(),
        updates(&[(&[], Searching), (&[], LoadedAll)])
    );
    assert!(bench.world.log.requests.is_empty(), "no look-up, no socket");
}

#[test]
fn search_conversations_keep_answer_order() {
    let mut bench = Bench::conversations();
    let mut is_late = true;
    bench.world.script.add(move |request| {
        let first = request.line() == "GET /me/conversations/c2" && is_late;
        is_late &= !first;
        first.then(|| Answer::Late(crate::support::seconds(1), 200, side("c2")))
    });
    let request = bench.query("c");
    bench.answer(&[side("c2"), side("c1")], None);
    assert_eq!(bench.updates().len(), 1, "the second waits for the first");
    bench.world.run_for(crate::support::seconds(2));
    assert_eq!(bench.outcome(request).0, ["c2", "c1"]);
}

#[test]
fn search_uses_socket_for_lookups_only() {
    let bench = Bench::messages().found(&[message("m2", "c1"), message("m1", "c1")], None);
    let mut lines: Vec<_> = bench.world.log.work().map(|r| r.line()).collect();
    lines.sort();
    lines.dedup();
    assert_eq!(
        lines,
        [
            "GET /me/conversations/c1",
            "GET /me/conversations/c1/messages",
            "GET /users",
            "SUBSCRIBE /me/conversations/c1",
            "SUBSCRIBE /me/conversations/c1/messages",
        ]
    );
}

#[test]
fn search_deleted_results_are_left_out() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    bench.answer(&[message("m2", "gone"), message("m1", "c1")], None);
    assert_eq!(bench.outcome(request).0, ["m1"]);
}

#[test]
fn search_unreadable_result_hides_no_other() {
    let mut bench = Bench::messages();
    let request = bench.query("found");
    bench.answer(&[serde_json::json!({"id": 7}), message("m1", "c1")], None);
    assert_eq!(bench.outcome(request).0, ["m1"]);
}

#[test]
fn search_load_more_while_busy_is_ignored() {
    let mut bench = Bench::messages();
    let first = bench.query("found");
    let more = bench.more(None);
    assert_eq!(bench.outcome(more), (vec![], false));
    assert!(!bench.world.is_resolved(first));
    bench.answer(&[message("m1", "c1")], Some("next"));
    bench.more(None);
    let meanwhile = bench.more(Some(7));
    assert_eq!(bench.outcome(meanwhile), (vec!["m1".to_owned()], false));
    assert_eq!(bench.asked().len(), 2);
}

#[test]
fn search_new_query_supersedes_previous() {
    let mut bench = Bench::messages();
    let first = bench.query("one");
    let http = bench.http();
    bench.world.http_head(http, 200);
    let text = body(&[message("m2", "c1"), message("m1", "c1")], None);
    let cut = text.find("\n,").unwrap() + 1;
    bench.world.http_chunk(http, &text[..cut]);
    let second = bench.query("two");
    assert_eq!(bench.outcome(first), (vec!["m2".to_owned()], false));
    assert!(bench.world.http_of("=one&")[0].cancelled);
    // The rest of the first response is ignored.
    bench.world.http_chunk(http, &text[cut..]);
    bench.world.http_end(http);
    assert!(!bench.world.is_resolved(second));
    assert_eq!(bench.updates().last(), Some(&(vec![], Searching)));
    bench.answer(&[message("m9", "c1")], None);
    assert_eq!(bench.outcome(second), (vec!["m9".to_owned()], true));
}

#[test]
fn search_queries_of_one_tick_send_the_last() {
    let mut bench = Bench::messages();
    let filter = ConversationFilter::default();
    let requests: Vec<_> = ["f", "fo", "found"]
        .map(|text| bench.world.set_query(bench.search, text, &filter))
        .into();
    bench.world.run();
    assert_eq!(bench.asked().len(), 1);
    assert!(bench.asked()[0].contains("searchString=found&"));
    assert_eq!(bench.outcome(requests[0]), (vec![], false));
    assert_eq!(bench.outcome(requests[1]), (vec![], false));
    assert!(!bench.world.is_resolved(requests[2]));
}

#[test]
fn searches_are_independent() {
    let mut bench = Bench::messages();
    let first = bench.query("one");
    let http = bench.http();
    let other = bench.world.start_search(SearchKind::Conversations);
    let filter = ConversationFilter::default();
    let second = bench.world.set_query(other, "two", &filter);
    bench.world.run();
    bench
        .world
        .http_answer(bench.http(), 200, &body(&[side("c1")], None));
    assert!(!bench.world.is_resolved(first));
    assert_eq!(bench.outcome(second).0, ["c1"]);
    bench
        .world
        .http_answer(http, 200, &body(&[message("m1", "c1")], None));
    assert_eq!(bench.outcome(first).0, ["m1"]);
}

#[test]
fn search_page_has_1_to_50_results() {
    let mut bench = Bench::messages().found(&[message("m1", "c1")], Some("next"));
    let now = bench.world.now;
    for given in [0, 51] {
        let refused = bench
            .world
            .session
            .search_more(now, bench.search, Some(given));
        assert_eq!(
            refused,
            Err(CommandError::CountOutOfRange { given, max: 50 })
        );
    }
    bench.world.run();
    assert_eq!(bench.asked().len(), 1);
}

#[test]
fn search_reply_has_results_and_loaded_all() {
    let json = |bench: &Bench, request| {
        let reply = bench.world.outcome(request).as_ref().unwrap();
        serde_json::to_value(reply).unwrap()
    };
    let mut bench = Bench::messages();
    let nothing = bench.query("nothing");
    bench.answer(&[], None);
    let expected = json!({"results": [], "loadedAll": true});
    assert_eq!(json(&bench, nothing), expected);
    let one = bench.query("one");
    bench.answer(&[message("m1", "c1")], Some("next"));
    let reply = json(&bench, one);
    assert_eq!(reply["loadedAll"], json!(false));
    assert_eq!(reply["results"][0]["message"]["id"], json!("m1"));
    let found = |request| match bench.world.outcome(request) {
        Ok(Reply::Searched { results, .. }) => results.is_empty(),
        other => panic!("{other:?}"),
    };
    assert!(found(nothing));
    assert!(!found(one));
}

#[test]
fn search_result_without_custom_is_shown() {
    for custom in [json!(null), json!({}), json!({"k": null})] {
        let mut bench = Bench::messages();
        let request = bench.query("found");
        let mut found = message("m1", "c1");
        found["custom"] = custom;
        bench.answer(&[found], None);
        let reply = bench.world.outcome(request).as_ref().unwrap();
        let reply = serde_json::to_value(reply).unwrap();
        assert_eq!(reply["results"][0]["message"]["custom"], json!({}));
    }
}
