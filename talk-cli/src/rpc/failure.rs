//! Errors as the lines show them.

use serde::Serialize;
use talk_tokio::{CommandError, EmptyId, Error, ServerError, SessionError, TransportError};

/// An error: which plane it is of, what it says, and what the server gave with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    #[serde(flatten)]
    refused: Option<Details>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Server,
    Usage,
    Session,
    Transport,
}

/// The server's own words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    error_code: String,
    reasons: Vec<String>,
}

impl Failure {
    /// The call cannot be made like this.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            message: message.into(),
            refused: None,
        }
    }

    /// Returns `true` if the call could not be made as it was.
    pub(crate) fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    fn new(kind: Kind, error: &dyn std::fmt::Display, refused: Option<ServerError>) -> Self {
        Self {
            kind,
            message: error.to_string(),
            refused: refused.map(Details::from),
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
            Error::Server(refused) => Self::new(Kind::Server, &refused.clone(), Some(refused)),
            Error::Session(error) => error.into(),
            Error::Transport(error) => error.into(),
            Error::Usage(error) => Self::usage(error.to_string()),
            // A plane that this version does not know: the caller did nothing wrong.
            error => Self::new(Kind::Transport, &error, None),
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self::new(Kind::Transport, &error, None)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let refused = match &error {
            SessionError::Refused(refused) | SessionError::SignatureRejected(refused) => {
                Some(refused.clone())
            }
            _ => None,
        };
        Self::new(Kind::Session, &error, refused)
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
    fn each_plane_has_its_kind() {
        let refused = ServerError::new(403, "READ_ONLY", vec!["because".to_owned()]);
        assert_eq!(
            to_value(Failure::from(Error::Server(refused.clone()))).unwrap(),
            json!({
                "kind": "server",
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
        let lost = Failure::from(Error::Transport(TransportError::Malformed));
        assert_eq!(lost.kind(), "transport");
        let session = to_value(Failure::from(SessionError::Refused(refused))).unwrap();
        assert_eq!(session["kind"], "session");
        assert_eq!(session["status"], 403);
    }
}
