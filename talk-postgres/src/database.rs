//! The connection to the database, and the statements.

use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use talk_client::store::{Change, Record, StoreError};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row};

use crate::failure::Failure;
use crate::hidden::{Hidden, escape, unescape};
use crate::options::Options;
use crate::{schema, tls};

/// The time limit of a statement. A connection without an answer for that long is lost.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of a connection attempt, unless the address has one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const LOAD: &str = "SELECT key, value FROM talk_record WHERE session = $1";

/// Applies changes, or deletes all records, if the holder has the lease. With an empty holder, it
/// does so if the lease is free. The lock of the lease's row delays a takeover until the end of the
/// write. It does not delay a renewal, which changes no column of a unique index.
///
/// The number refuses a write that the database executes late, after its connection was given up:
/// the write was repeated, and later ones may have followed. A repetition has the same number. The
/// numbers have a table of their own, because a renewal waits for a write of the lease's row.
const APPLY: &str = "
    WITH lease AS (
        SELECT holder::text, expires FROM talk_lease WHERE session = $1 FOR KEY SHARE
    ), allowed AS (
        SELECT 1 WHERE CASE WHEN $2 = ''
            THEN NOT EXISTS (SELECT 1 FROM lease WHERE expires >= clock_timestamp())
            ELSE EXISTS (SELECT 1 FROM lease WHERE holder = $2)
        END
    ), numbered AS (
        INSERT INTO talk_write (session, holder, number) SELECT $1, $2, $6 FROM allowed
        ON CONFLICT (session) DO UPDATE SET holder = excluded.holder, number = excluded.number
        WHERE talk_write.holder <> excluded.holder OR talk_write.number <= excluded.number
        RETURNING 1
    ), put AS (
        INSERT INTO talk_record (session, key, value)
        SELECT $1, put.key, put.value FROM unnest($3, $4) AS put (key, value), numbered
        ON CONFLICT (session, key) DO UPDATE SET value = excluded.value
    ), deleted AS (
        DELETE FROM talk_record USING numbered WHERE session = $1 AND ($7 OR key = ANY ($5))
    )
    SELECT 1 FROM numbered";

/// Takes a lease that is free or has expired.
const LOCK: &str = "
    INSERT INTO talk_lease (session, holder, expires)
    VALUES ($1, gen_random_uuid(), clock_timestamp() + $2 * interval '1 second')
    ON CONFLICT (session) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
    WHERE talk_lease.expires < clock_timestamp()
    RETURNING holder::text";

const RENEW: &str = "
    UPDATE talk_lease SET expires = clock_timestamp() + $3 * interval '1 second'
    WHERE session = $1 AND holder::text = $2
    RETURNING 1";

/// The row stays with another holder, so that a late write of the former one is refused.
const UNLOCK: &str = "
    UPDATE talk_lease SET expires = '-infinity', holder = gen_random_uuid()
    WHERE session = $1 AND holder::text = $2";

/// A database with one connection, which is opened when it is needed.
pub(crate) struct Database {
    config: Config,
    roots: Option<RootCertStore>,
    client: Mutex<Option<Arc<Client>>>,
}

impl Database {
    pub(crate) fn new(options: Options) -> Self {
        let mut config = options.config;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("talk");
        }
        Self {
            config,
            roots: options.roots,
            client: Mutex::default(),
        }
    }

    pub(crate) async fn load(&self, session: &str) -> Result<Vec<Record>, Failure> {
        let session = escape(session);
        let rows = self.query(LOAD, &[(&session, Type::TEXT)]).await?;
        let record = |row: &Row| -> Result<Record, tokio_postgres::Error> {
            let (key, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Record::new(unescape(&key), value))
        };
        let records: Result<_, _> = rows.iter().map(record).collect();
        Ok(records?)
    }

    /// Applies changes. Returns `false` if another session has the lease. The number of a write is
    /// larger than that of the write before. Without a holder, all writes have the same number.
    pub(crate) async fn apply(
        &self,
        session: &str,
        holder: &str,
        number: i64,
        changes: &[Change],
    ) -> Result<bool, Failure> {
        self.write(session, holder, number, changes, false).await
    }

    /// Deletes all records. Returns `false` if another session has the lease.
    pub(crate) async fn clear(
        &self,
        session: &str,
        holder: &str,
        number: i64,
    ) -> Result<bool, Failure> {
        self.write(session, holder, number, &[], true).await
    }

    async fn write(
        &self,
        session: &str,
        holder: &str,
        number: i64,
        changes: &[Change],
        deletes_all: bool,
    ) -> Result<bool, Failure> {
        let (mut keys, mut values, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Put(record) => {
                    keys.push(escape(&record.key));
                    values.push(record.value.as_str());
                }
                Change::Delete { key } => deleted.push(escape(key)),
            }
        }
        let rows = self
            .query(
                APPLY,
                &[
                    (&escape(session), Type::TEXT),
                    (&holder, Type::TEXT),
                    (&Hidden(keys), Type::TEXT_ARRAY),
                    (&Hidden(values), Type::TEXT_ARRAY),
                    (&Hidden(deleted), Type::TEXT_ARRAY),
                    (&number, Type::INT8),
                    (&deletes_all, Type::BOOL),
                ],
            )
            .await?;
        Ok(!rows.is_empty())
    }

    /// Takes a lease. Returns its holder, or `None` if another session has it.
    pub(crate) async fn lock(
        &self,
        session: &str,
        ttl: Duration,
    ) -> Result<Option<String>, Failure> {
        let (session, ttl) = (escape(session), ttl.as_secs_f64());
        let parameters: [Parameter<'_>; 2] = [(&session, Type::TEXT), (&ttl, Type::FLOAT8)];
        let rows = self.query(LOCK, &parameters).await?;
        let holder = rows.first().map(|row| row.try_get(0)).transpose()?;
        Ok(holder)
    }

    /// Renews a lease. Returns `false` if another session has taken it.
    pub(crate) async fn renew(
        &self,
        session: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<bool, Failure> {
        let (session, ttl) = (escape(session), ttl.as_secs_f64());
        let parameters: [Parameter<'_>; 3] = [
            (&session, Type::TEXT),
            (&holder, Type::TEXT),
            (&ttl, Type::FLOAT8),
        ];
        Ok(!self.query(RENEW, &parameters).await?.is_empty())
    }

    pub(crate) async fn unlock(&self, session: &str, holder: &str) -> Result<(), Failure> {
        let session = escape(session);
        let parameters: [Parameter<'_>; 2] = [(&session, Type::TEXT), (&holder, Type::TEXT)];
        self.query(UNLOCK, &parameters).await?;
        Ok(())
    }

    async fn query(
        &self,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let client = self.client().await?;
        // Without named statements, which a connection pooler could not keep.
        match timeout(STATEMENT_TIMEOUT, client.query_typed(statement, parameters)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                let failure = Failure::from(error);
                if matches!(failure, Failure::Transient(_)) {
                    // Another server may have the address next, as after a failover.
                    self.disconnect(&client).await;
                }
                Err(failure)
            }
            Err(_) => {
                self.disconnect(&client).await;
                let seconds = STATEMENT_TIMEOUT.as_secs();
                let reason = format!("PostgreSQL has not answered for {seconds} s");
                Err(Failure::Transient(reason))
            }
        }
    }

    /// Returns the open connection, or opens a new one.
    async fn client(&self) -> Result<Arc<Client>, Failure> {
        let mut current = self.client.lock().await;
        if let Some(client) = &*current
            && !client.is_closed()
        {
            return Ok(Arc::clone(client));
        }
        *current = None;
        // The time limit of the library covers the socket only.
        let connected = timeout(STATEMENT_TIMEOUT, self.connect()).await;
        let silent = "PostgreSQL accepts connections, but does not answer";
        let mut client = connected.map_err(|_| Failure::Transient(silent.to_owned()))??;
        let migrated = timeout(STATEMENT_TIMEOUT, schema::migrate(&mut client)).await;
        let late = "another process has been changing the tables for too long";
        migrated.map_err(|_| Failure::Transient(late.to_owned()))??;
        let client = Arc::new(client);
        *current = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Forgets a connection that does not answer, unless another one has replaced it.
    async fn disconnect(&self, client: &Arc<Client>) {
        let mut current = self.client.lock().await;
        if current.as_ref().is_some_and(|it| Arc::ptr_eq(it, client)) {
            *current = None;
        }
    }

    async fn connect(&self) -> Result<Client, Failure> {
        let tls = tls::connector(self.roots.clone());
        let tls = tls.map_err(|error| Failure::Final(StoreError::Io(error.to_string())))?;
        match self.config.connect(tls).await {
            Ok((client, connection)) => {
                // The pending statements receive its errors.
                tokio::spawn(connection);
                Ok(client)
            }
            // Like PostgreSQL's own client, connects without TLS if TLS fails and is not required.
            Err(error)
                if self.config.get_ssl_mode() == SslMode::Prefer
                    && error.as_db_error().is_none() =>
            {
                let mut config = self.config.clone();
                let attempt = config.ssl_mode(SslMode::Disable).connect(NoTls).await;
                let (client, connection) =
                    attempt.map_err(|error| Failure::from(error).at(&servers(&self.config)))?;
                tokio::spawn(connection);
                Ok(client)
            }
            Err(error) => Err(Failure::from(error).at(&servers(&self.config))),
        }
    }
}

/// Returns the hosts and ports of a configuration, without its password.
fn servers(config: &Config) -> String {
    let ports = config.get_ports();
    let server = |(number, host): (usize, &Host)| {
        let port = ports.get(number).or(ports.first()).unwrap_or(&5432);
        match host {
            Host::Tcp(name) => format!("{name} port {port}"),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{} port {port}", folder.display()),
        }
    };
    let servers: Vec<_> = config.get_hosts().iter().enumerate().map(server).collect();
    servers.join(", ")
}

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);
