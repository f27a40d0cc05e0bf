//! The rows of the outbox's times.

mod recorder;
mod sent;
mod stored;

use anyhow::Result;

use super::row::Row;
use super::server::Server;

/// Measures the rows.
pub(super) async fn measure() -> Result<Vec<Row>> {
    let mut server = Server::start("scripted").await?;
    Ok(vec![
        stored::until_stored().await?,
        sent::in_many_conversations(&mut server).await?,
        sent::in_one_conversation(&mut server, true).await?,
        sent::in_one_conversation(&mut server, false).await?,
    ])
}
