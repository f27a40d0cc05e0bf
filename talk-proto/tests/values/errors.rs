//! Retry safety, server errors, and chains of causes.

use std::error::Error;
use std::time::Duration;

use talk_proto::{
    CommandError, HttpFailure, RequestError, RetrySafety, ServerError, SessionError,
    TransportError, model::AppId,
};

const AFTER: Duration = Duration::from_secs(1);

fn refused(status: u16) -> ServerError {
    ServerError::new(status, "CODE", vec!["because".to_owned()])
}

fn cancelled(maybe_happened: bool, idempotent: bool) -> TransportError {
    TransportError::Cancelled {
        maybe_happened,
        idempotent,
    }
}

fn deadline(maybe_happened: bool, idempotent: bool) -> TransportError {
    TransportError::Deadline {
        after: AFTER,
        maybe_happened,
        idempotent,
        last_failure: None,
    }
}

fn reason() -> String {
    "the innermost reason".to_owned()
}

#[test]
fn retry_safety_of_statuses() {
    for status in [429, 500, 502, 503, 504] {
        let error = RequestError::from(refused(status));
        assert_eq!(error.retry_safety(), RetrySafety::Safe, "{status}");
    }
    for status in [400, 401, 402, 403, 404, 409, 422, 501, 505] {
        let error = RequestError::from(refused(status));
        assert_eq!(error.retry_safety(), RetrySafety::Never, "{status}");
    }
}

#[test]
fn retry_safety_of_transport_errors() {
    use RetrySafety::{MayDuplicate, Never, Safe};

    for (error, expected) in [
        (cancelled(false, false), Safe),
        (cancelled(true, true), Safe),
        (cancelled(true, false), MayDuplicate),
        (deadline(false, false), Safe),
        (deadline(true, true), Safe),
        (deadline(true, false), MayDuplicate),
        (TransportError::Http(reason()), Safe),
        (TransportError::AnswerLost(reason()), MayDuplicate),
        (TransportError::FrameTooLarge, Never),
        (TransportError::ResponseTooLarge, Never),
        (TransportError::Malformed, Never),
        (TransportError::Source(reason()), Never),
        (TransportError::DriverStopped, Never),
    ] {
        assert_eq!(error.retry_safety(), expected, "{error:?}");
        assert_eq!(RequestError::from(error).retry_safety(), expected);
    }
    let ended = RequestError::from(SessionError::Shutdown);
    assert_eq!(ended.retry_safety(), Never);
}

#[test]
fn server_error_is_found_in_every_plane() {
    let error = RequestError::from(refused(403));
    assert_eq!(
        (error.status(), error.error_code()),
        (Some(403), Some("CODE"))
    );
    for ended in [
        SessionError::Refused(refused(403)),
        SessionError::SignatureRejected(refused(403)),
    ] {
        let error = RequestError::from(ended);
        assert_eq!(
            (error.status(), error.error_code()),
            (Some(403), Some("CODE"))
        );
    }
    let error = RequestError::from(ServerError::new(500, "", vec![]));
    assert_eq!((error.status(), error.error_code()), (Some(500), None));
    let error = RequestError::from(TransportError::Malformed);
    assert_eq!((error.status(), error.error_code()), (None, None));
}

#[test]
fn is_timeout_for_deadlines_only() {
    assert!(RequestError::from(deadline(true, true)).is_timeout());
    assert!(!RequestError::from(cancelled(true, true)).is_timeout());
    assert!(!RequestError::from(refused(504)).is_timeout());
}

/// Each message of a chain, in particular the innermost reason, is printed once.
#[test]
fn causes_appear_once_in_every_chain() {
    let session_errors = [
        SessionError::AppNotFound,
        SessionError::InvalidAddress {
            address: "https://a b".to_owned(),
            reason: reason(),
        },
        SessionError::SignatureRejected(refused(401)),
        SessionError::Refused(refused(403)),
        SessionError::TokenRejected,
        SessionError::TokensRejected { attempts: 5 },
        SessionError::TokenCallback(reason()),
        SessionError::Shutdown,
        SessionError::DriverStopped,
    ];
    let transport_errors = [
        cancelled(true, true),
        deadline(true, true),
        TransportError::FrameTooLarge,
        TransportError::ResponseTooLarge,
        TransportError::Malformed,
        TransportError::Http(reason()),
        TransportError::AnswerLost(reason()),
        TransportError::Source(reason()),
        TransportError::DriverStopped,
    ];
    let empty_id = AppId::new("").unwrap_err();
    let command_errors = [
        CommandError::TooManyCalls { limit: 1 },
        CommandError::TooManySubscriptions { limit: 1 },
        CommandError::Unknown,
        CommandError::Unsubscribed,
        CommandError::NotAList,
        CommandError::CountOutOfRange { given: 0, max: 1 },
        CommandError::TooLarge { size: 2, limit: 1 },
        CommandError::EmptyId(empty_id),
    ];
    let http_failures = [
        HttpFailure::Network(reason()),
        HttpFailure::Stalled { after: AFTER },
        HttpFailure::Unanswered(reason()),
        HttpFailure::Source(reason()),
    ];
    let mut errors: Vec<Box<dyn Error>> = vec![Box::new(refused(403)), Box::new(empty_id)];
    for error in session_errors {
        errors.push(Box::new(CommandError::Ended(error.clone())));
        errors.push(Box::new(RequestError::from(error.clone())));
        errors.push(Box::new(error));
    }
    for error in transport_errors {
        errors.push(Box::new(RequestError::from(error.clone())));
        errors.push(Box::new(error));
    }
    errors.push(Box::new(RequestError::from(refused(403))));
    errors.extend(command_errors.map(|error| Box::new(error) as Box<dyn Error>));
    errors.extend(http_failures.map(|error| Box::new(error) as Box<dyn Error>));
    for error in errors {
        check_chain(error.as_ref());
    }
}

fn check_chain(error: &dyn Error) {
    let mut chain = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    let joined = chain.join(": ");
    for message in &chain {
        assert_eq!(joined.matches(message.as_str()).count(), 1, "{chain:?}");
    }
    for cause in ["because", "the innermost reason"] {
        assert!(joined.matches(cause).count() <= 1, "{chain:?}");
    }
}
