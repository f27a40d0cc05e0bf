//! The store in a file.

#![cfg(feature = "store")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use futures_executor::block_on;
use talk_client::TalkOptions;
use talk_client::store::{Change, FileStore, Record, Store, StoreError, StoreKey};

/// Set in the process that is killed: the file of its store.
const KILLED: &str = "TALK_TEST_STORE";

fn key(user: &str) -> StoreKey {
    TalkOptions::new("app", user).unwrap().store_key()
}

fn put(key: impl Into<String>, value: impl Into<String>) -> Change {
    Change::Put(Record::new(key, value))
}

fn records(store: &FileStore, user: &str) -> BTreeMap<String, String> {
    let records = block_on(store.load(&key(user))).unwrap();
    let pair = |record: Record| (record.key, record.value);
    records.into_iter().map(pair).collect()
}

fn apply(store: &FileStore, user: &str, changes: Vec<Change>) {
    block_on(store.apply(&key(user), changes)).unwrap();
}

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("outbox.talk")
    }

    fn store(&self) -> FileStore {
        FileStore::new(self.path())
    }
}

#[test]
fn records_outlive_the_store() {
    let folder = Folder::new();
    let store = folder.store();
    apply(&store, "alice", vec![put("a", "1"), put("b", "2")]);
    let delete = Change::Delete { key: "a".into() };
    apply(&store, "alice", vec![delete, put("b", "3")]);
    apply(&store, "bob", vec![put("c", "4")]);
    drop(store);

    let store = folder.store();
    assert_eq!(records(&store, "alice"), [("b".into(), "3".into())].into());
    assert_eq!(records(&store, "bob"), [("c".into(), "4".into())].into());
    block_on(store.clear(&key("alice"))).unwrap();
    assert!(records(&store, "alice").is_empty());
    assert_eq!(records(&store, "bob").len(), 1);
}

#[test]
fn keys_with_separators_are_distinct() {
    let folder = Folder::new();
    let store = folder.store();
    for (number, user) in ["a", "a,6:b", "1:a,", "a\n"].iter().enumerate() {
        apply(&store, user, vec![put("k", number.to_string())]);
    }
    assert_eq!(records(&store, "a")["k"], "0");
    assert_eq!(records(&store, "1:a,")["k"], "2");
}

#[test]
fn lock_excludes_other_stores_until_dropped() {
    let folder = Folder::new();
    let (first, second) = (folder.store(), folder.store());
    let lease = block_on(first.lock(&key("alice"))).unwrap();
    for store in [&first, &second] {
        let locked = block_on(store.lock(&key("alice")));
        assert_eq!(locked.unwrap_err(), StoreError::InUse);
    }
    // Other users, and reads, need no lock.
    let _bob = block_on(second.lock(&key("bob"))).unwrap();
    assert!(records(&second, "alice").is_empty());
    drop(lease);
    let _lease = block_on(second.lock(&key("alice"))).unwrap();
}

#[cfg(unix)]
#[test]
fn file_removed_while_in_use_stores_nothing() {
    let folder = Folder::new();
    let store = folder.store();
    apply(&store, "alice", vec![put("a", "1")]);
    let moved = folder.path().with_extension("moved");
    fs::rename(folder.path(), &moved).unwrap();
    for replace in [false, true] {
        if replace {
            fs::write(folder.path(), "").unwrap();
        }
        let change = vec![put("b", "2")];
        let error = block_on(store.apply(&key("alice"), change)).unwrap_err();
        assert!(error.to_string().contains("removed or replaced"), "{error}");
    }
    fs::rename(&moved, folder.path()).unwrap();
    apply(&store, "alice", vec![put("c", "3")]);
    let expected = [("a".into(), "1".into()), ("c".into(), "3".into())];
    assert_eq!(records(&store, "alice"), expected.into());
}

#[test]
fn database_of_another_program_is_refused_unchanged() {
    for version in [0, 1, 7] {
        let folder = Folder::new();
        let other = rusqlite::Connection::open(folder.path()).unwrap();
        other
            .execute_batch("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('mine')")
            .unwrap();
        other.pragma_update(None, "user_version", version).unwrap();
        other.close().unwrap();
        let before = fs::read(folder.path()).unwrap();

        for refused in [
            block_on(folder.store().lock(&key("alice"))).map(drop),
            block_on(folder.store().apply(&key("alice"), vec![put("a", "1")])),
            block_on(folder.store().load(&key("alice"))).map(drop),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
            assert!(error.to_string().contains("another program"), "{error}");
        }
        assert_eq!(fs::read(folder.path()).unwrap(), before);
    }
}

#[cfg(unix)]
#[test]
fn lock_is_that_of_file_behind_symbolic_link() {
    let folder = Folder::new();
    let link = folder.folder.path().join("link.talk");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    for (first, second) in [(folder.path(), &link), (link.clone(), &folder.path())] {
        let lease = block_on(FileStore::new(first).lock(&key("alice"))).unwrap();
        let other = FileStore::new(second);
        let refused = block_on(other.lock(&key("alice")));
        assert!(matches!(refused, Err(StoreError::InUse)), "{refused:?}");
        drop(lease);
    }
    let lease = block_on(FileStore::new(&link).lock(&key("alice")));
    assert!(lease.is_ok(), "{lease:?}");
}

#[cfg(unix)]
#[test]
fn special_file_is_refused_and_stays_as_it_is() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path()).unwrap();
    let mode = || fs::metadata(folder.path()).unwrap().permissions().mode();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o666)).unwrap();
    let before = mode();
    let refused = block_on(folder.store().lock(&key("alice")));
    let Err(StoreError::Io(reason)) = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("not a regular file"), "{reason}");
    assert_eq!(mode(), before);
}

#[test]
fn writers_wait_for_each_other() {
    let folder = Folder::new();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let store = folder.store();
            scope.spawn(move || {
                for number in 0..5 {
                    let record = put(format!("{writer}/{number}"), "");
                    apply(&store, &format!("user{writer}"), vec![record]);
                }
            });
        }
    });
    let store = folder.store();
    for writer in 0..8 {
        assert_eq!(records(&store, &format!("user{writer}")).len(), 5);
    }
}

#[test]
fn unusable_file_is_a_typed_error() {
    let folder = Folder::new();
    fs::write(folder.path(), "this is no database".repeat(100)).unwrap();
    let error = block_on(folder.store().load(&key("alice"))).unwrap_err();
    assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
    assert!(error.to_string().contains("choose another file"), "{error}");

    let absent = FileStore::new(folder.folder.path().join("absent").join("outbox.talk"));
    let error = block_on(absent.lock(&key("alice"))).unwrap_err();
    assert!(matches!(error, StoreError::Io(_)), "{error}");
    assert!(error.to_string().contains("outbox.talk"), "{error}");
}

#[cfg(unix)]
#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let store = folder.store();
    let _lease = block_on(store.lock(&key("alice"))).unwrap();
    apply(&store, "alice", vec![put("a", "1")]);
    let files = fs::read_dir(folder.folder.path()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap()).collect();
    assert!(files.len() >= 3, "the database, its log and its lock");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[cfg(unix)]
#[test]
fn existing_files_become_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let path = folder.folder.path().join("outbox.talk");
    fs::write(&path, "").unwrap();
    let everyone = fs::Permissions::from_mode(0o666);
    fs::set_permissions(&path, everyone.clone()).unwrap();
    let store = FileStore::new(&path);
    let lease = block_on(store.lock(&key("alice"))).unwrap();
    let lock = folder.folder.path().join("outbox.talk-lock-1");
    drop(lease);
    fs::set_permissions(&lock, everyone).unwrap();
    let _lease = block_on(store.lock(&key("alice"))).unwrap();
    apply(&store, "alice", vec![put("a", "1")]);
    for file in fs::read_dir(folder.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
    }
}

/// Writes batches of two records until the process is killed, and reports each one that is stored.
fn write_until_killed(path: &Path) {
    let store = FileStore::new(path);
    let _lease = block_on(store.lock(&key("alice"))).unwrap();
    let first = records(&store, "alice").len() / 2;
    for number in first.. {
        let text = "x".repeat(number % 3_000);
        let changes = vec![
            put(format!("a{number}"), text.clone()),
            put(format!("b{number}"), text),
        ];
        apply(&store, "alice", changes);
        println!("stored {number}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn killed_process_loses_nothing_and_tears_no_batch() {
    if let Some(path) = std::env::var_os(KILLED) {
        return write_until_killed(Path::new(&path));
    }
    let folder = Folder::new();
    let mut stored = 0;
    for run in 0..10 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "file_store::killed_process_loses_nothing_and_tears_no_batch",
            ])
            .args(["--nocapture", "--test-threads", "1"])
            .env(KILLED, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let numbers = lines.filter_map(|line| {
            let line = line.unwrap();
            line.rsplit_once("stored ")?.1.parse::<usize>().ok()
        });
        // Between two reports, the process is in the middle of a write.
        stored = numbers.take(run + 2).last().unwrap() + 1;
        process.kill().unwrap();
        process.wait().unwrap();

        let records = records(&folder.store(), "alice");
        assert!(records.len() >= 2 * stored);
        for number in 0..records.len() / 2 {
            let value = "x".repeat(number % 3_000);
            assert_eq!(records[&format!("a{number}")], value);
            assert_eq!(records[&format!("b{number}")], value);
        }
        // The lock of the killed process is free.
        drop(block_on(folder.store().lock(&key("alice"))).unwrap());
    }
    assert!(stored >= 10);
}
