//! A [store](talk_client::store) on PostgreSQL, for bots that run on more than one machine.
//!
//! [`PostgresStore`] keeps the records of sessions in four tables, which it creates at the first
//! use: `talk_schema` with the version of the schema, `talk_record`, `talk_lease` and `talk_write`.
//! The user of the database needs the right to create tables in the first schema of its
//! `search_path`, once, and again after an update of this library that adds tables.
//!
//! ```no_run
//! use talk_client::TalkOptions;
//! use talk_postgres::PostgresStore;
//!
//! let store = PostgresStore::new("postgres://bot@db.example/bots?sslmode=require")?;
//! let options = TalkOptions::new("my_app", "support-bot")?.store(store);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Leases
//!
//! A session locks its records by a lease in the database. The lease lasts for
//! [`lease_ttl`](PostgresStore::lease_ttl), by the clock of the database, and is renewed after each
//! third of that time. A process that cannot renew its lease for two thirds of the time gives it up
//! before it expires. A write of a process whose lease was taken over is refused. So any number of
//! identical processes can wait for the lease: one is active, and another takes over when it ends,
//! crashes, or loses its database.
//!
//! # Outages
//!
//! If the connection is lost, writes are repeated on new connections as long as the lease is valid.
//! They put and delete whole records, so a repetition has no further effect. Writes are numbered.
//! One that the database executes late, after its connection was given up, undoes no later one.
//! A write whose answer was lost is reported as failed if the lease ends before it can be repeated,
//! although the database may have it.
//!
//! # Scale
//!
//! Each store uses one connection for records and one for leases. Each change of the outbox or of
//! an inbox's position is one statement with one commit, and a session has at most one of them in
//! flight. A database on a machine with two processors carried 200 sessions that answered a message
//! a second each; the example `sessions` measures yours. If one database cannot commit fast enough,
//! give groups of users databases of their own, such as by a hash of the user's ID: the records of
//! users are independent.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod database;
mod failure;
mod hidden;
mod lease;
mod options;
mod schema;
mod session;
mod store;
mod tls;
mod worker;

pub use store::PostgresStore;
