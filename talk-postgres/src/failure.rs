//! Failures of statements.

use talk_client::store::StoreError;
use tokio_postgres::error::SqlState;

/// The failure of a statement.
pub(crate) enum Failure {
    /// The connection is lost, or the database is starting or stopping: another attempt may
    /// succeed. The statement may have been executed.
    Transient(String),
    /// Another attempt fails in the same way.
    Final(StoreError),
}

impl Failure {
    /// Adds the address of the server to the reason of a lost connection.
    pub(crate) fn at(self, server: &str) -> Self {
        match self {
            Self::Transient(reason) => Self::Transient(format!("{server}: {reason}")),
            Self::Final(error) => Self::Final(error),
        }
    }

    pub(crate) fn into_error(self) -> StoreError {
        match self {
            Self::Transient(reason) => StoreError::Io(reason),
            Self::Final(error) => error,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database) = error.as_db_error() else {
            let cause = std::error::Error::source(&error);
            return Self::Transient(match cause {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            });
        };
        // Without the detail, which can contain values of the row.
        let reason = format!("PostgreSQL: {}", database.message());
        match is_transient(database.code()) {
            true => Self::Transient(reason),
            false => Self::Final(StoreError::Io(reason)),
        }
    }
}

/// Returns `true` for the classes of connection failures, rollbacks, lack of resources and
/// intervention of an operator, and for a database that is read-only during a failover.
fn is_transient(code: &SqlState) -> bool {
    let code = code.code();
    ["08", "40", "53", "57"].contains(&code.get(..2).unwrap_or_default()) || code == "25006"
}
