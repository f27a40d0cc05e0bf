//! Bodies of the server's answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ServerError;

/// The body of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Refusal {
    pub(crate) error_code: String,
    pub(crate) reasons: Vec<String>,
}

impl Refusal {
    /// Reads the body of a refusal. An unreadable body is treated as empty.
    pub(crate) fn parse(body: Option<&RawValue>) -> Self {
        body.and_then(|body| serde_json::from_str(body.get()).ok())
            .unwrap_or_default()
    }
}

/// Returns the refusal in an answer.
pub(crate) fn server_error(status: u16, body: Option<&RawValue>) -> ServerError {
    let Refusal {
        error_code,
        reasons,
    } = Refusal::parse(body);
    ServerError::new(status, error_code, reasons)
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    /// The start of the next page; `None` on the last page.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}
