//! Uploads that are cancelled or ended.

use talk_proto::{
    Authentication, HttpFailure, RequestError, RetrySafety, ServerError, SessionError,
    TransportError,
    upload::{Upload, UploadKind},
};

use super::bench::{Bench, file};
use crate::support::{Answer, Network, World, seconds, unpaced};

fn cancelled(maybe_happened: bool) -> RequestError {
    TransportError::Cancelled {
        maybe_happened,
        idempotent: false,
    }
    .into()
}

/// Checks that nothing more happens and that the session continues.
fn is_over(mut bench: Bench, attempts: usize) {
    bench.world.run_for(seconds(600));
    assert_eq!(bench.attempts(), attempts);
    assert_eq!(bench.world.session.pending_calls(), 0);
    assert!(bench.world.session.is_idle());
    assert_eq!(bench.world.end(), None);
}

#[test]
fn upload_cancelled_before_check_sends_nothing() {
    let mut bench = Bench::new(file());
    bench.world.cancel(bench.request);
    bench.world.run();
    assert_eq!(bench.error(), cancelled(false));
    assert!(bench.world.log.of("POST /files/validate").is_empty());
    is_over(bench, 0);
}

#[test]
fn upload_cancelled_during_check_ends() {
    let mut bench = Bench::new(file());
    bench.world.script.add(|request| {
        let asked = request.path == "/files/validate";
        asked.then(|| Answer::Late(seconds(1), 200, serde_json::json!({})))
    });
    bench.world.run();
    bench.world.cancel(bench.request);
    bench.world.run();
    assert!(bench.is_resolved());
    is_over(bench, 0);
}

#[test]
fn upload_cancelled_during_body_ends() {
    let mut bench = Bench::sending(file());
    bench.world.cancel(bench.request);
    bench.world.run();
    assert_eq!(bench.error(), cancelled(true));
    assert!(bench.world.http_of("/files")[0].cancelled);
    // Data in transit is ignored.
    bench.succeed();
    is_over(bench, 1);
}

#[test]
fn upload_cancelled_between_attempts_ends() {
    let mut bench = Bench::sending(file());
    let failure = HttpFailure::Network("reset".to_owned());
    bench.world.http_fail(bench.http(), failure);
    bench.world.cancel(bench.request);
    bench.world.run();
    assert_eq!(bench.error(), cancelled(true));
    is_over(bench, 1);
}

#[test]
fn session_end_fails_uploads_at_every_stage() {
    let shut_down = RequestError::Session(SessionError::Shutdown);
    for bench in [Bench::new(file()), Bench::sending(file())] {
        let mut bench = bench;
        bench.world.session.shutdown(bench.world.now);
        bench.world.run();
        assert_eq!(bench.error(), shut_down);
        assert!(
            bench
                .world
                .http_of("/files")
                .iter()
                .all(|asked| asked.cancelled)
        );
    }
}

#[test]
fn upload_rejected_token_ends_session() {
    let mut options = unpaced();
    options.authentication = Authentication::default();
    options.authentication.token = Some("given-token".into());
    let mut bench = Bench::in_world(World::new(options), file());
    bench.world.run();
    bench.world.network = Network::Refuse;
    bench.world.cut();
    bench.world.http_head(bench.http(), 401);
    bench.world.run();
    assert_eq!(bench.world.end(), Some(&SessionError::TokenRejected));
    assert_eq!(bench.error(), SessionError::TokenRejected.into());
}

#[test]
fn upload_endless_refusal_is_reported() {
    let mut bench = Bench::sending(file());
    bench.world.http_head(bench.http(), 403);
    bench.world.run_for(seconds(600));
    assert_eq!(bench.error(), ServerError::new(403, "", vec![]).into());
}

/// A header cannot contain a line break.
#[test]
fn upload_token_invalid_in_header_fails() {
    let mut bench = Bench::new(file());
    bench.world.set_token("two\nlines").unwrap();
    bench.world.run();
    let error = bench.error().to_string();
    assert!(error.contains("header value"), "{error}");
    is_over(bench, 0);
}

#[test]
fn refused_upload_masks_its_name_and_may_duplicate() {
    for (status, expected) in [(403, RetrySafety::Never), (503, RetrySafety::MayDuplicate)] {
        let upload = Upload::new(UploadKind::File, "layoffs.txt", 5).once();
        let mut bench = Bench::sending(upload);
        let body = r#"{"errorCode": "NO", "reasons": ["layoffs.txt is bad"]}"#;
        bench.world.http_answer(bench.http(), status, body);
        bench.world.run();
        let error = bench.error();
        assert_eq!(error.retry_safety(), expected);
        let shown = format!("{error:?}");
        assert!(shown.contains(r#"["….… is bad"]"#), "{shown}");
    }
}
