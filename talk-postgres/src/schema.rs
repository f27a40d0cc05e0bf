//! The tables, and the migrations between their versions.

use talk_client::store::StoreError;
use tokio_postgres::Client;

use crate::failure::Failure;

/// The changes from each version of the schema to the next one. Released ones never change.
const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE talk_record (
        session text NOT NULL,
        key text NOT NULL,
        value text NOT NULL,
        PRIMARY KEY (session, key)
    );
    CREATE TABLE talk_lease (
        session text PRIMARY KEY,
        holder uuid NOT NULL,
        expires timestamptz NOT NULL,
        UNIQUE (session, holder)
    );
",
    "
    CREATE TABLE talk_write (
        session text PRIMARY KEY,
        holder text NOT NULL,
        number int8 NOT NULL
    );
",
];

/// Makes other processes wait until the schema is complete. The number is arbitrary.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7255101882)";

/// Brings the schema to the current version.
pub(crate) async fn migrate(client: &mut Client) -> Result<(), Failure> {
    // The common case needs neither the lock nor the right to create tables.
    if version(client).await? == Some(MIGRATIONS.len()) {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS talk_schema (version int8 NOT NULL)")
        .await?;
    let row = transaction
        .query_opt("SELECT max(version) FROM talk_schema", &[])
        .await?;
    let found = row
        .and_then(|row| row.get::<_, Option<i64>>(0))
        .unwrap_or(0);
    let Some(missing) = usize::try_from(found)
        .ok()
        .and_then(|found| MIGRATIONS.get(found..))
    else {
        let reason = format!("a newer version of Talk has written it (schema {found})");
        return Err(Failure::Final(StoreError::Unreadable(reason)));
    };
    for migration in missing {
        transaction.batch_execute(migration).await?;
    }
    let current = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    transaction.execute("DELETE FROM talk_schema", &[]).await?;
    transaction
        .execute("INSERT INTO talk_schema (version) VALUES ($1)", &[&current])
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Returns the version of the schema, or `None` if it does not exist.
async fn version(client: &Client) -> Result<Option<usize>, Failure> {
    let exists = "SELECT to_regclass('talk_schema') IS NOT NULL";
    if !client.query_one(exists, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client
        .query_one("SELECT max(version) FROM talk_schema", &[])
        .await?;
    let version = row.get::<_, Option<i64>>(0);
    Ok(version.and_then(|version| usize::try_from(version).ok()))
}
