//! Errors in JSON.

use serde::Serialize;
use talk_tokio::store::StoreError;
use talk_tokio::{CommandError, EmptyId, Error, ServerError, SessionError, TransportError};

/// An error with its plane, its code, its message, and the details of the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Failure {
    kind: Kind,
    /// A stable code for programs: the server's code if there is one.
    code: String,
    message: String,
    #[serde(flatten)]
    refused: Option<Box<Details>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Server,
    Usage,
    Session,
    Transport,
    Store,
    /// A problem of this machine or of the command itself.
    Local,
}

/// The details of a refusal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    error_code: String,
    reasons: Vec<String>,
}

/// The code of an invalid call or command line.
const INVALID_ARGUMENTS: &str = "INVALID_ARGUMENTS";

impl Failure {
    /// Creates the error of an invalid call.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            code: INVALID_ARGUMENTS.to_owned(),
            message: message.into(),
            refused: None,
        }
    }

    /// Creates an error of this machine or of the command itself.
    pub(crate) fn local(code: &str, error: &dyn std::fmt::Display) -> Self {
        Self::new(Kind::Local, code, error, None)
    }

    /// Adds the list of arguments to the message, if the call was invalid.
    pub(crate) fn with_arguments(mut self, call: &str, arguments: &str) -> Self {
        if self.code == INVALID_ARGUMENTS {
            self.message = format!("{}; {call} takes [{arguments}]", self.message);
        }
        self
    }

    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.message = message;
        self
    }

    /// Returns `true` if the call was invalid.
    pub(crate) fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    fn new(
        kind: Kind,
        code: &str,
        error: &dyn std::fmt::Display,
        refused: Option<ServerError>,
    ) -> Self {
        Self {
            kind,
            code: code.to_owned(),
            message: error.to_string(),
            refused: refused.map(|refused| Box::new(refused.into())),
        }
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> String {
        let kind = serde_json::to_value(self.kind).unwrap();
        kind.as_str().unwrap().to_owned()
    }
}

impl From<ServerError> for Details {
    fn from(refused: ServerError) -> Self {
        Self {
            status: refused.status,
            error_code: refused.error_code,
            reasons: refused.reasons,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Server(refused) => {
                let code = refused.code().unwrap_or("REFUSED");
                Self::new(Kind::Server, code, &refused, Some(refused.clone()))
            }
            Error::Session(error) => error.into(),
            Error::Transport(error) => error.into(),
            Error::Usage(error) => Self::new(Kind::Usage, usage_code(&error), &error, None),
            Error::Store(error) => error.into(),
            Error::Discarded => Self::new(Kind::Store, "DISCARDED", &error, None),
            Error::NoRuntime(error) => Self::local("IO_ERROR", &error),
            // The error is of a plane that this version does not know. It is not misuse.
            error => Self::new(Kind::Transport, "UNKNOWN", &error, None),
        }
    }
}

fn usage_code(error: &CommandError) -> &'static str {
    match error {
        CommandError::TooManyCalls { .. } => "TOO_MANY_CALLS",
        CommandError::TooManySubscriptions { .. } => "TOO_MANY_SUBSCRIPTIONS",
        CommandError::Unknown => "UNKNOWN_SUBSCRIPTION",
        CommandError::Unsubscribed => "UNSUBSCRIBED",
        CommandError::NotAList => "NOT_A_LIST",
        CommandError::TooLarge { .. } => "REQUEST_TOO_LARGE",
        CommandError::NoOutbox => "NO_OUTBOX",
        CommandError::OutboxFull { .. } => "OUTBOX_FULL",
        CommandError::UnknownEntry => "UNKNOWN_ENTRY",
        CommandError::InboxOpen => "INBOX_OPEN",
        CommandError::InboxUnreadable => "INBOX_UNREADABLE",
        CommandError::TooManyInboxes { .. } => "TOO_MANY_INBOXES",
        CommandError::UnknownDelivery => "UNKNOWN_DELIVERY",
        _ => INVALID_ARGUMENTS,
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let code = match &error {
            TransportError::Cancelled { .. } => "CANCELLED",
            TransportError::Deadline { .. } => "TIMEOUT",
            TransportError::FrameTooLarge => "FRAME_TOO_LARGE",
            TransportError::ResponseTooLarge => "RESPONSE_TOO_LARGE",
            TransportError::Malformed => "MALFORMED_ANSWER",
            TransportError::Http(_) => "HTTP_FAILED",
            TransportError::AnswerLost(_) => "ANSWER_LOST",
            TransportError::Source(_) => "FILE_UNREADABLE",
            TransportError::DriverStopped => "DRIVER_STOPPED",
            _ => "UNKNOWN",
        };
        Self::new(Kind::Transport, code, &error, None)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let code = match &error {
            SessionError::Store(error) => return error.clone().into(),
            SessionError::AppNotFound => "APP_NOT_FOUND",
            SessionError::InvalidAddress { .. } => "INVALID_ADDRESS",
            SessionError::SignatureRejected(_) => "SIGNATURE_REJECTED",
            SessionError::Refused(_) => "SESSION_REFUSED",
            SessionError::TokenRejected => "TOKEN_REJECTED",
            SessionError::TokensRejected { .. } => "TOKENS_REJECTED",
            SessionError::TokenCallback(_) => "TOKEN_CALLBACK_FAILED",
            SessionError::Shutdown => "SHUT_DOWN",
            SessionError::DriverStopped => "DRIVER_STOPPED",
            _ => "UNKNOWN",
        };
        Self::new(Kind::Session, code, &error, error.server_error().cloned())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::InUse => "STORE_IN_USE",
            StoreError::Unreadable(_) => "STORE_UNREADABLE",
            StoreError::Io(_) => "STORE_FAILED",
            StoreError::Lost => "STORE_LOST",
            _ => "UNKNOWN",
        };
        Self::new(Kind::Store, code, &error, None)
    }
}

impl From<EmptyId> for Failure {
    fn from(error: EmptyId) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Error::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn failure_kind_follows_error_plane() {
        let refused = ServerError::new(403, "READ_ONLY", vec!["because".to_owned()]);
        assert_eq!(
            to_value(Failure::from(Error::Server(refused.clone()))).unwrap(),
            json!({
                "kind": "server",
                "code": "READ_ONLY",
                "message": "the server refused with status 403 READ_ONLY: because",
                "status": 403,
                "errorCode": "READ_ONLY",
                "reasons": ["because"],
            }),
        );
        let usage = Failure::from(Error::Usage(CommandError::NotAList));
        assert_eq!(usage.kind(), "usage");
        let ended = Failure::from(CommandError::Ended(SessionError::AppNotFound));
        assert_eq!(ended.kind(), "session");
        let in_use = Failure::from(SessionError::Store(StoreError::InUse));
        assert_eq!(in_use.kind(), "store");
        let lost = Failure::from(Error::Transport(TransportError::Malformed));
        assert_eq!(lost.kind(), "transport");
        let session = to_value(Failure::from(SessionError::Refused(refused))).unwrap();
        assert_eq!(session["kind"], "session");
        assert_eq!(session["status"], 403);
    }
}
