//! The store with a real PostgreSQL server. If PostgreSQL is not installed, the tests are skipped
//! with a message, or fail if `CI=true`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, thread};

use smol::block_on;
use talk_client::TalkOptions;
use talk_client::store::{Change, Lease, Record, Store, StoreError, StoreKey};
use talk_postgres::PostgresStore;

mod server;

use server::Server;

fn key(user: &str) -> StoreKey {
    TalkOptions::new("app", user).unwrap().store_key()
}

fn put(key: &str, value: &str) -> Change {
    Change::Put(Record::new(key, value))
}

fn delete(key: &str) -> Change {
    Change::Delete {
        key: key.to_owned(),
    }
}

fn load(store: &PostgresStore, user: &str) -> Vec<(String, String)> {
    let records = block_on(store.load(&key(user))).unwrap();
    let records = records.into_iter().map(|record| (record.key, record.value));
    let mut records: Vec<_> = records.collect();
    records.sort();
    records
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn short(server: &Server) -> PostgresStore {
    let store = PostgresStore::new(&server.address()).unwrap();
    store.lease_ttl(Duration::from_secs(2))
}

fn lock(store: &PostgresStore, user: &str) -> Result<Lease, StoreError> {
    block_on(store.lock(&key(user)))
}

fn lock_within(store: &PostgresStore, user: &str, limit: Duration) -> Lease {
    let started = Instant::now();
    loop {
        match lock(store, user) {
            Ok(lease) => return lease,
            Err(error) => assert!(started.elapsed() < limit, "{error}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn records_are_kept_by_user() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = short(&server);
    let changes = vec![
        put("a", "1"),
        put("b", "2"),
        put("odd \0 \\ é", "{\"text\":\"\\u0000\"}"),
    ];
    block_on(store.apply(&key("alice"), changes)).unwrap();
    block_on(store.apply(&key("alice"), vec![put("a", "3"), delete("b"), delete("c")])).unwrap();
    block_on(store.apply(&key("bob\0"), vec![put("a", "4")])).unwrap();

    let other = short(&server);
    let expected = vec![
        pair("a", "3"),
        pair("odd \0 \\ é", "{\"text\":\"\\u0000\"}"),
    ];
    assert_eq!(load(&other, "alice"), expected);
    assert_eq!(load(&other, "bob\0"), vec![pair("a", "4")]);
    block_on(other.clear(&key("alice"))).unwrap();
    assert_eq!(load(&store, "alice"), vec![]);
    assert_eq!(load(&store, "bob\0"), vec![pair("a", "4")]);
}

#[test]
fn batches_are_applied_in_the_order_of_the_calls() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = short(&server);
    let batches: Vec<_> = (0..100)
        .map(|n| store.apply(&key("alice"), vec![put("a", &n.to_string())]))
        .collect();
    for batch in batches.into_iter().rev() {
        block_on(batch).unwrap();
    }
    assert_eq!(load(&store, "alice"), vec![pair("a", "99")]);
}

#[test]
fn many_first_users_create_the_tables_once() {
    let Some(server) = Server::start() else {
        return;
    };
    let address = Arc::new(server.address());
    let users: Vec<_> = (0..8)
        .map(|n| {
            let address = Arc::clone(&address);
            thread::spawn(move || {
                let store = PostgresStore::new(&address).unwrap();
                block_on(store.apply(&key(&n.to_string()), vec![put("a", "1")])).unwrap();
            })
        })
        .collect();
    for user in users {
        user.join().unwrap();
    }
    let store = short(&server);
    assert!((0..8).all(|n| load(&store, &n.to_string()) == vec![pair("a", "1")]));
}

#[test]
fn newer_schema_is_refused() {
    let Some(server) = Server::start() else {
        return;
    };
    assert_eq!(load(&short(&server), "alice"), vec![]);
    assert!(server.sql("UPDATE talk_schema SET version = 99"));
    let refused = block_on(short(&server).load(&key("alice")));
    assert!(matches!(refused, Err(StoreError::Unreadable(reason)) if reason.contains("newer")));
}

#[test]
fn lease_is_exclusive_until_it_is_dropped() {
    let Some(server) = Server::start() else {
        return;
    };
    let (store, other) = (short(&server), short(&server));
    let lease = lock(&store, "alice").unwrap();
    assert_eq!(lock(&other, "alice").unwrap_err(), StoreError::InUse);
    assert_eq!(lock(&store, "alice").unwrap_err(), StoreError::InUse);
    drop(lock(&other, "bob").unwrap());
    // Without renewals it would have expired.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(lock(&other, "alice").unwrap_err(), StoreError::InUse);
    drop(lease);
    drop(lock(&other, "alice").unwrap());
}

#[test]
fn write_after_a_takeover_is_refused() {
    let Some(server) = Server::start() else {
        return;
    };
    let (store, other) = (short(&server), short(&server));
    let _lease = lock(&store, "alice").unwrap();
    block_on(store.apply(&key("alice"), vec![put("a", "first")])).unwrap();
    // Another process may have taken the lease, and ended, while this one was stopped.
    let takeover = "UPDATE talk_lease SET holder = gen_random_uuid(), expires = '-infinity'";
    assert!(server.sql(takeover));
    let _taken = lock(&other, "alice").unwrap();
    block_on(other.apply(&key("alice"), vec![put("a", "second")])).unwrap();
    block_on(store.apply(&key("alice"), vec![put("a", "late")])).unwrap_err();
    assert_eq!(load(&store, "alice"), vec![pair("a", "second")]);
}

#[test]
fn slow_write_does_not_lose_the_lease() {
    let Some(server) = Server::start() else {
        return;
    };
    let (store, other) = (short(&server), short(&server));
    let _lease = lock(&store, "alice").unwrap();
    slow_down(&server);
    block_on(store.apply(&key("alice"), vec![put("a", "1")])).unwrap();
    assert_eq!(lock(&other, "alice").unwrap_err(), StoreError::InUse);
}

#[test]
fn takeover_waits_for_a_slow_write() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = short(&server);
    let _lease = lock(&store, "alice").unwrap();
    slow_down(&server);
    let write = store.apply(&key("alice"), vec![put("a", "1")]);
    let writes = "SELECT 1 / count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    while !server.sql(writes) {
        thread::sleep(Duration::from_millis(20));
    }
    assert!(server.sql("UPDATE talk_lease SET holder = gen_random_uuid()"));
    assert_eq!(load(&short(&server), "alice"), vec![pair("a", "1")]);
    block_on(write).unwrap();
}

#[test]
#[cfg(unix)]
fn write_executed_late_undoes_no_later_one() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = PostgresStore::new(&server.address()).unwrap();
    let _lease = lock(&store, "alice").unwrap();
    block_on(store.apply(&key("alice"), vec![put("a", "0")])).unwrap();
    let connection = server.connections().pop().unwrap();
    server::signal("STOP", &connection);
    // This is repeated on a new connection.
    block_on(store.apply(&key("alice"), vec![put("a", "1"), put("b", "1")])).unwrap();
    block_on(store.apply(&key("alice"), vec![put("a", "2"), delete("b")])).unwrap();
    server::signal("CONT", &connection);
    while server.connections().contains(&connection) {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(load(&store, "alice"), vec![pair("a", "2")]);
}

#[test]
fn clear_spares_records_of_another_session() {
    let Some(server) = Server::start() else {
        return;
    };
    let (store, other) = (short(&server), short(&server));
    let lease = lock(&store, "alice").unwrap();
    block_on(store.apply(&key("alice"), vec![put("a", "1")])).unwrap();
    let refused = block_on(other.clear(&key("alice")));
    assert_eq!(refused, Err(StoreError::InUse));
    assert_eq!(load(&store, "alice"), vec![pair("a", "1")]);
    drop(lease);
    block_on(other.clear(&key("alice"))).unwrap();
    assert_eq!(load(&store, "alice"), vec![]);
}

/// Makes each write take six seconds.
fn slow_down(server: &Server) {
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(6); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON talk_record EXECUTE FUNCTION slow()";
    assert!(server.sql(slow));
}

#[test]
fn write_during_a_restart_of_the_database_is_repeated() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let store = PostgresStore::new(&server.address()).unwrap();
    let _lease = lock(&store, "alice").unwrap();
    server.stop();
    let write = store.apply(&key("alice"), vec![put("a", "1")]);
    server.run();
    block_on(write).unwrap();
    assert_eq!(load(&store, "alice"), vec![pair("a", "1")]);
    assert_eq!(
        lock(&short(&server), "alice").unwrap_err(),
        StoreError::InUse
    );
}

#[test]
fn lease_without_a_database_expires() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let (store, other) = (short(&server), short(&server));
    let lease = lock(&store, "alice").unwrap();
    server.stop();
    block_on(store.apply(&key("alice"), vec![put("a", "1")])).unwrap_err();
    thread::sleep(Duration::from_secs(1));
    server.run();
    let _taken = lock_within(&other, "alice", Duration::from_secs(30));
    block_on(store.apply(&key("alice"), vec![put("a", "late")])).unwrap_err();
    drop(lease);
    assert_eq!(lock(&store, "alice").unwrap_err(), StoreError::InUse);
}

#[test]
fn server_that_never_answers_is_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = PostgresStore::new(&format!("postgres://127.0.0.1:{port}/none")).unwrap();
    let failed = block_on(store.load(&key("alice")));
    assert!(matches!(failed, Err(StoreError::Io(reason)) if reason.contains("not answer")));
}

#[test]
fn address_without_a_server_is_an_error() {
    let store = PostgresStore::new("postgres://127.0.0.1:1/none").unwrap();
    let failed = block_on(store.load(&key("alice")));
    assert!(matches!(failed, Err(StoreError::Io(reason)) if reason.contains("connect")));
}

/// Restarts the server with TLS. Returns the root certificate.
fn enable_tls(server: &mut Server) -> String {
    let names = vec!["localhost".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).unwrap();
    let certificate = certified.cert.pem();
    for (name, pem) in [
        ("server.crt", certificate.clone()),
        ("server.key", certified.signing_key.serialize_pem()),
    ] {
        let path = server.data().join(name);
        fs::write(&path, pem).unwrap();
        server::give_away(&path);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    assert!(server.sql("ALTER SYSTEM SET ssl = on"));
    server.stop();
    server.run();
    certificate
}

#[test]
fn certificate_is_verified_if_tls_is_required() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let root = enable_tls(&mut server);
    let with = |mode: &str| {
        let address = format!("{}?sslmode={mode}", server.address());
        let address = address.replace("127.0.0.1", "localhost");
        PostgresStore::new(&address).unwrap()
    };
    // As with PostgreSQL's own client, the default accepts a server without a valid certificate.
    assert_eq!(load(&with("prefer"), "alice"), vec![]);
    let refused = block_on(with("require").load(&key("alice")));
    assert!(matches!(refused, Err(StoreError::Io(reason)) if reason.contains("certificate")));

    let trusting = with("disable").root_certificates(root.as_bytes()).unwrap();
    assert_eq!(load(&trusting, "alice"), vec![]);
    assert!(server.sql("DO $$ BEGIN ASSERT (SELECT bool_or(ssl) FROM pg_stat_ssl); END $$"));
    assert!(with("require").root_certificates(b"none").is_err());
}

#[test]
fn unreachable_server_is_named_without_its_password() {
    // No server listens on this port.
    let store = PostgresStore::new("postgres://bot:hush@127.0.0.1:1/talk").unwrap();
    let error = block_on(store.load(&key("alice"))).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1 port 1"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[test]
fn records_do_not_reach_logs_or_errors() {
    let Some(mut server) = Server::start() else {
        return;
    };
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let store = short(&server).password("hush-password");
    let changes = || vec![put("hush-key", "hush-value"), delete("hush-key-2")];
    block_on(store.apply(&key("alice"), changes())).unwrap();
    assert_eq!(load(&store, "alice"), vec![pair("hush-key", "hush-value")]);
    assert!(server.sql("ALTER TABLE talk_record ADD CHECK (length(value) < 20)"));
    let long = vec![put("hush-key", "hush-value that is too long")];
    let refused = block_on(store.apply(&key("alice"), long)).unwrap_err();
    server.stop();
    let failed = block_on(store.load(&key("alice"))).unwrap_err();
    let lines = LINES.lock().unwrap().join("\n");
    assert!(lines.contains("executing"), "{lines}");
    for text in [
        lines,
        format!("{refused:?} {refused} {failed:?} {failed} {store:?}"),
    ] {
        assert!(!text.contains("hush"), "{text}");
    }
}

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps all lines.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LINES.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}
