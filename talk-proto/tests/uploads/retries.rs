//! Retried uploads.

use talk_proto::{HttpFailure, RequestError, ServerError, TransportError};

use super::bench::{Bench, file};
use crate::support::{Answer, TokenSource, seconds};

fn lost() -> HttpFailure {
    HttpFailure::Network("reset".to_owned())
}

#[test]
fn upload_rejected_token_is_replaced_once() {
    let mut bench = Bench::sending(file());
    let http = bench.http();
    bench.world.http_head(http, 401);
    bench.world.run_for(seconds(30));
    assert_eq!(bench.attempts(), 2);
    let asked = bench.world.http_of("/files");
    assert!(asked[0].cancelled);
    assert_eq!(asked[1].headers["authorization"], "Bearer token-2");
    bench
        .world
        .http_answer(bench.http(), 401, r#"{"errorCode": "BAD_TOKEN"}"#);
    bench.world.run_for(seconds(60));
    assert_eq!(
        bench.error(),
        ServerError::new(401, "BAD_TOKEN", vec![]).into()
    );
    assert_eq!(bench.attempts(), 2);
    assert_eq!(bench.world.end(), None);
}

#[test]
fn upload_single_use_source_is_sent_once() {
    for status in [401, 429, 500, 503] {
        let mut bench = Bench::sending(file().once());
        bench.world.http_answer(bench.http(), status, "{}");
        bench.world.run_for(seconds(60));
        assert_eq!(bench.error(), ServerError::new(status, "", vec![]).into());
        assert_eq!(bench.attempts(), 1);
    }
    let mut bench = Bench::sending(file().once());
    bench.world.http_fail(bench.http(), lost());
    assert_eq!(bench.error(), TransportError::Http("reset".into()).into());
}

#[test]
fn upload_lost_connection_is_retried_five_times() {
    let mut bench = Bench::sending(file());
    for attempt in 1..5 {
        assert_eq!(bench.attempts(), attempt);
        bench.world.http_fail(bench.http(), lost());
        assert!(!bench.is_resolved());
        bench.world.run_for(seconds(40));
    }
    bench.world.http_fail(bench.http(), lost());
    bench.world.run_for(seconds(120));
    assert_eq!(bench.error(), TransportError::Http("reset".into()).into());
    assert_eq!(bench.attempts(), 5);
}

#[test]
fn upload_server_error_is_retried() {
    let mut bench = Bench::sending(file());
    for status in [429, 500, 502] {
        bench.world.http_answer(bench.http(), status, "{}");
        bench.world.run_for(seconds(40));
    }
    assert_eq!(bench.attempts(), 4);
    bench.succeed();
    assert_eq!(bench.token(), "a-file-token");
}

#[test]
fn upload_retry_waits_for_token_in_flight() {
    let mut bench = Bench::sending(file());
    bench.world.tokens = TokenSource::After(seconds(50));
    let http = bench.http();
    bench.world.http_fail(http, lost());
    let mut expired = false;
    bench.world.script.add(move |request| {
        let first = request.path.ends_with("/read") && !expired;
        expired |= first;
        first.then(|| Answer::refuse(401, "EXPIRED"))
    });
    bench.world.call(crate::support::mark_as_read("c1"));
    bench.world.run_for(seconds(45));
    assert_eq!(bench.attempts(), 1);
    bench.world.run_for(seconds(10));
    assert_eq!(bench.attempts(), 2);
    bench.succeed();
    assert_eq!(bench.token(), "a-file-token");
}

#[test]
fn upload_refusal_is_final() {
    let mut bench = Bench::sending(file());
    let refusal = r#"{"errorCode": "FILE_TYPE", "reasons": ["no .exe"]}"#;
    bench.world.http_answer(bench.http(), 400, refusal);
    bench.world.run_for(seconds(60));
    let refused = ServerError::new(400, "FILE_TYPE", vec!["no .exe".to_owned()]);
    assert_eq!(bench.error(), refused.into());
    assert_eq!(bench.attempts(), 1);
}

#[test]
fn upload_refusal_before_close_is_reported() {
    let mut bench = Bench::sending(file());
    let http = bench.http();
    bench.world.http_head(http, 413);
    bench.world.http_fail(http, lost());
    bench.world.run_for(seconds(60));
    assert_eq!(bench.error(), ServerError::new(413, "", vec![]).into());
    assert_eq!(bench.attempts(), 1);
}

#[test]
fn upload_response_without_token_is_malformed() {
    for body in ["", "{}", "[1]", r#"{"fileToken": 7}"#] {
        let mut bench = Bench::sending(file());
        bench.world.http_answer(bench.http(), 200, body);
        let malformed = RequestError::Transport(TransportError::Malformed);
        assert_eq!(bench.error(), malformed, "{body}");
    }
}

#[test]
fn upload_failed_source_is_not_retried() {
    let mut bench = Bench::sending(file());
    let failure = HttpFailure::Source("shrunk".to_owned());
    bench.world.http_fail(bench.http(), failure);
    bench.world.run_for(seconds(60));
    let source = TransportError::Source("shrunk".to_owned());
    assert_eq!(bench.error(), source.into());
    assert_eq!(bench.attempts(), 1);
}

#[test]
fn upload_maybe_received_is_not_sent_twice() {
    let answer_lost = |reason: &str| TransportError::AnswerLost(reason.to_owned()).into();
    let mut bench = Bench::sending(file());
    let failure = HttpFailure::Unanswered("reset".to_owned());
    bench.world.http_fail(bench.http(), failure);
    bench.world.run_for(seconds(120));
    assert_eq!(bench.error(), answer_lost("reset"));
    assert_eq!(bench.attempts(), 1);

    // The head of the response confirms the file, but the token does not arrive.
    let mut bench = Bench::sending(file());
    let http = bench.http();
    bench.world.http_head(http, 200);
    bench.world.http_fail(http, lost());
    bench.world.run_for(seconds(120));
    assert_eq!(bench.error(), answer_lost("reset"));
    assert_eq!(bench.attempts(), 1);

    let mut bench = Bench::sending(file());
    bench.world.http_head(bench.http(), 200);
    bench.world.run_for(seconds(59));
    assert!(!bench.is_resolved());
    bench.world.run_for(seconds(2));
    assert_eq!(bench.error(), answer_lost("no response within 60 s"));
    assert!(bench.world.http_of("/files")[0].cancelled);
}

#[test]
fn upload_stalled_server_is_retried_then_fails() {
    let after = seconds(60);
    let mut bench = Bench::sending(file().once());
    bench
        .world
        .http_fail(bench.http(), HttpFailure::Stalled { after });
    let deadline = TransportError::Deadline {
        after,
        maybe_happened: false,
        idempotent: false,
        last_failure: None,
    };
    assert_eq!(bench.error(), deadline.into());

    let mut bench = Bench::sending(file());
    bench
        .world
        .http_fail(bench.http(), HttpFailure::Stalled { after });
    bench.world.run_for(seconds(40));
    assert_eq!(bench.attempts(), 2);
    bench.succeed();
    assert_eq!(bench.token(), "a-file-token");
}

#[test]
fn upload_refusal_during_body_is_reported() {
    let mut bench = Bench::sending(file());
    let http = bench.http();
    bench.world.http_head(http, 413);
    bench.world.http_chunk(http, r#"{"errorCode": "TOO_"#);
    assert!(!bench.is_resolved());
    bench.world.http_chunk(http, r#"LARGE"}"#);
    assert_eq!(
        bench.error(),
        ServerError::new(413, "TOO_LARGE", vec![]).into()
    );
    assert!(bench.world.http_of("/files")[0].cancelled);
}

#[test]
fn upload_with_progress_has_no_deadline() {
    let mut bench = Bench::sending(file());
    bench.world.run_for(seconds(24 * 3600));
    assert!(!bench.is_resolved());
    bench.succeed();
    assert_eq!(bench.token(), "a-file-token");
}

#[test]
fn upload_response_without_end_is_cut_off() {
    for (status, expected) in [
        (200, TransportError::Malformed.into()),
        (413, ServerError::new(413, "", vec![]).into()),
    ] {
        let mut bench = Bench::sending(file());
        let http = bench.http();
        bench.world.http_head(http, status);
        for _ in 0..64 {
            assert!(!bench.is_resolved());
            bench.world.http_chunk(http, &"}".repeat(1 << 10));
        }
        bench.world.http_chunk(http, "}");
        assert_eq!(bench.error(), expected);
        assert!(bench.world.http_of("/files")[0].cancelled);
    }
}
