//! Which failures may pass.

use std::time::Duration;

use talk_proto::{RequestError, ServerError, SessionError, TransportError};

fn refused(status: u16) -> RequestError {
    ServerError::new(status, "CODE", Vec::new()).into()
}

#[test]
fn a_refusal_may_pass_when_the_server_is_busy_or_broken() {
    for status in [429, 500, 502, 503, 504] {
        assert!(refused(status).is_retryable(), "{status}");
    }
    for status in [400, 401, 402, 403, 404, 409, 422, 501, 505] {
        assert!(!refused(status).is_retryable(), "{status}");
    }
}

#[test]
fn what_went_wrong_on_the_way_may_pass_and_what_is_wrong_in_itself_does_not() {
    let maybe_happened = true;
    let after = Duration::from_secs(1);
    for error in [
        TransportError::Cancelled { maybe_happened },
        TransportError::Deadline {
            after,
            maybe_happened,
        },
        TransportError::Http("no route".to_owned()),
        TransportError::AnswerLost("reset".to_owned()),
    ] {
        assert!(RequestError::from(error.clone()).is_retryable(), "{error}");
    }
    for error in [
        TransportError::FrameTooLarge,
        TransportError::Malformed,
        TransportError::Source("no such file".to_owned()),
        TransportError::DriverStopped,
    ] {
        assert!(!RequestError::from(error.clone()).is_retryable(), "{error}");
    }
    assert!(!RequestError::from(SessionError::ShutDown).is_retryable());
}
