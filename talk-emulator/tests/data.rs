//! The data folder: the files that the emulator changes, permissions, and a busy database.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use talk_emulator::server::Settings;
use talk_emulator::{DataError, Emulator, EmulatorBuilder, StartError, WebhookSettings};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::Socket;

/// Much longer than any step takes.
const TIMEOUT: Duration = Duration::from_secs(60);

const UNKNOWN_FILES: [&str; 4] = [
    "ABCDEFGHIJKLMNOPQRST",
    "abcdefghijklmnopqrst.part",
    "01234567890123456789",
    "notes.txt",
];

fn write_unknown_files(folder: &Path) {
    for name in UNKNOWN_FILES {
        fs::write(folder.join(name), name).unwrap();
    }
}

fn assert_unknown_files(folder: &Path) {
    for name in UNKNOWN_FILES {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), name);
    }
}

async fn start(folder: &Path) -> Emulator {
    Emulator::builder().data(folder).start().await.unwrap()
}

#[tokio::test]
async fn start_keeps_unknown_files() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    write_unknown_files(&files);
    for _ in 0..2 {
        start(folder.path()).await.shutdown().await;
        assert_unknown_files(&files);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn start_keeps_files_behind_symbolic_link() {
    let elsewhere = tempfile::tempdir().unwrap();
    write_unknown_files(elsewhere.path());
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("files")).unwrap();
    for _ in 0..2 {
        start(folder.path()).await.shutdown().await;
        assert_unknown_files(elsewhere.path());
    }
}

#[tokio::test]
async fn start_removes_only_recorded_uploads() {
    let folder = tempfile::tempdir().unwrap();
    start(folder.path()).await.shutdown().await;
    let files = folder.path().join("files");
    write_unknown_files(&files);
    // A crash leaves the records of uploads in progress.
    let interrupted = ["AAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBB"];
    fs::write(files.join(format!("{}.part", interrupted[0])), "x").unwrap();
    fs::write(files.join(interrupted[1]), "x").unwrap();
    let outside = folder.path().join("outside");
    fs::write(&outside, "x").unwrap();
    let database = Connection::open(folder.path().join("talk.sqlite")).unwrap();
    for token in interrupted.into_iter().chain(["../outside"]) {
        let sql = "INSERT INTO uploads VALUES (?, '')";
        database.execute(sql, [token]).unwrap();
    }
    drop(database);

    start(folder.path()).await.shutdown().await;
    assert_unknown_files(&files);
    assert!(outside.exists());
    assert_eq!(fs::read_dir(&files).unwrap().count(), UNKNOWN_FILES.len());
}

#[tokio::test]
async fn start_keeps_contents_of_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("talk.lock");
    fs::write(&lock, "precious").unwrap();
    start(folder.path()).await.shutdown().await;
    assert_eq!(fs::read_to_string(&lock).unwrap(), "precious");
}

#[cfg(unix)]
#[tokio::test]
async fn start_symbolic_link_as_lock_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    std::os::unix::fs::symlink(&precious, data.join("talk.lock")).unwrap();
    let error = Emulator::builder().data(&data).start().await.unwrap_err();
    assert!(
        matches!(
            &error,
            StartError::Data { cause, .. } if matches!(**cause, DataError::SymbolicLink(_))
        ),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
}

#[cfg(unix)]
#[tokio::test]
async fn data_folder_is_private() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let emulator = start(&data).await;
    for path in [data.clone(), data.join("files"), folder.path().join("new")] {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
    }
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
    emulator.shutdown().await;

    // A database of an earlier version was readable by everyone.
    let database = data.join("talk.sqlite");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    start(&data).await.shutdown().await;
    assert_eq!(mode(&database), 0o600);
}

#[tokio::test]
async fn busy_database_delays_requests() {
    let folder = tempfile::tempdir().unwrap();
    let (stalls, mut stalled) = mpsc::unbounded_channel();
    let emulator = Emulator::builder()
        .data(folder.path())
        .on_stall(move |error| {
            let _ = stalls.send(error.map(ToString::to_string));
        })
        .start()
        .await
        .unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    let other = Connection::open(folder.path().join("talk.sqlite")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let name = json!({ "name": "Alice" });
    let seq = socket.request("PUT", "/users/alice", name).await;
    let reason = timeout(TIMEOUT, stalled.recv()).await.unwrap().unwrap();
    assert!(reason.unwrap().contains("talk.sqlite"));
    other.execute_batch("ROLLBACK").unwrap();
    let answer = timeout(TIMEOUT, socket.frame()).await.unwrap().unwrap();
    assert_eq!(answer, json!([seq, 200, {}]));
    assert_eq!(timeout(TIMEOUT, stalled.recv()).await.unwrap(), Some(None));
    assert!(emulator.failure().is_none());
}

#[tokio::test]
async fn shutdown_busy_database_returns() {
    let folder = tempfile::tempdir().unwrap();
    let (stalls, mut stalled) = mpsc::unbounded_channel();
    let emulator = Emulator::builder()
        .data(folder.path())
        .on_stall(move |_| {
            let _ = stalls.send(());
        })
        .start()
        .await
        .unwrap();
    let mut socket = Socket::ready(&emulator, "app", "alice").await;
    let other = Connection::open(folder.path().join("talk.sqlite")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let name = json!({ "name": "Alice" });
    socket.request("PUT", "/users/alice", name).await;
    timeout(TIMEOUT, stalled.recv()).await.unwrap().unwrap();
    timeout(TIMEOUT, emulator.shutdown()).await.unwrap();
}

#[tokio::test]
async fn stored_settings_are_replaced_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let restart = async |change: fn(EmulatorBuilder) -> EmulatorBuilder| {
        let builder = change(Emulator::builder().data(folder.path()));
        let emulator = builder.start().await.unwrap();
        let settings = emulator.settings().await.unwrap();
        emulator.shutdown().await;
        Settings {
            origin: String::new(),
            ..settings
        }
    };
    let mut expected = restart(|builder| builder.settings(Settings::default())).await;
    restart(move |builder| {
        let mut settings = Settings::default();
        settings.limits.search = false;
        settings.webhooks.url = Some("http://127.0.0.1:1/".to_owned());
        builder.settings(settings)
    })
    .await;
    expected.limits.search = false;
    expected.webhooks = restart(|builder| builder).await.webhooks;
    assert!(expected.webhooks.has_created_secret());

    // A secret replaces the created key.
    expected.secret = Some("K1".to_owned());
    expected.webhooks.secret = None;
    assert_eq!(restart(|builder| builder.secret("K1")).await, expected);
    assert_eq!(restart(|builder| builder).await, expected);
    let webhooks =
        |builder: EmulatorBuilder| builder.webhooks(WebhookSettings::new("http://127.0.0.1:2/"));
    expected.webhooks = WebhookSettings::new("http://127.0.0.1:2/");
    assert_eq!(restart(webhooks).await, expected);
    expected.secret = Some("K2".to_owned());
    assert_eq!(restart(|builder| builder.secret("K2")).await, expected);
    let settings = restart(|builder| builder.settings(Settings::default())).await;
    assert_eq!(settings.secret, None);
    assert!(settings.limits.search);
}
