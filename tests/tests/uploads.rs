//! Uploads on real sockets during faults. Each upload must end in success or the right error. No
//! file may be stored twice, no resource may leak, and the session must keep working.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor};
use std::panic::Location;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use futures_util::io::AsyncRead;
use futures_util::{StreamExt, stream};
use talk_emulator::Emulator;
use talk_emulator::server::{Fault, FaultKind, Role, Settings};
use talk_tokio::{
    Error, FileToken, Session, TalkOptions, TransportError, UploadFuture, UploadSource,
    get_talk_session, seekable_source,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// A generous time limit.
const PATIENCE: Duration = Duration::from_secs(120);

/// A short timeout, so that a stalled server is detected soon.
const STALL: Duration = Duration::from_millis(400);

/// More bytes than the sockets between client and server can buffer.
const LARGE: usize = 24 << 20;

/// The number of repetitions of each fault.
const TIMES: usize = 20;

struct World {
    emulator: Emulator,
    session: Session,
    data: TempDir,
    rng: Rng,
}

impl World {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let data = tempfile::tempdir().unwrap();
        let emulator = Emulator::builder().settings(settings).data(data.path());
        let emulator = emulator.start().await.unwrap();
        let options = TalkOptions::new("app", "alice").unwrap();
        let options = options.host(emulator.host()).upload_timeout(STALL);
        let session = get_talk_session(options.force_new()).unwrap();
        Self {
            emulator,
            session,
            data,
            rng: Rng::with_seed(seed),
        }
    }

    /// Injects a fault into the next uploads after this many bytes.
    async fn hinder(&self, kind: FaultKind, after_bytes: u64) {
        let fault = Fault::new(kind).path("/files").after_bytes(after_bytes);
        self.emulator.inject(fault).await.unwrap();
    }

    /// Slows the server down to 256 KiB per 30 ms.
    async fn slow_down(&self, uploads: usize) {
        let fault = Fault::new(FaultKind::Slow)
            .path("/files")
            .after_bytes(256 << 10)
            .after(Duration::from_millis(30))
            .times(uploads.try_into().unwrap());
        self.emulator.inject(fault).await.unwrap();
    }

    fn upload(&self, source: impl Into<UploadSource>) -> UploadFuture {
        self.session.upload_file(source, "f.bin")
    }

    /// Returns the server's files: the complete or the incomplete ones.
    fn files(&self, complete: bool) -> Vec<PathBuf> {
        let files = fs::read_dir(self.data.path().join("files")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_none() == complete);
        files.collect()
    }

    /// Checks that the session can still upload, and that the server has stored the right number of
    /// files.
    async fn lives_on_with(&self, stored: usize) {
        self.lives_on_with_hung(stored, 0).await;
    }

    /// Does the same as [`lives_on_with`](Self::lives_on_with) while this many uploads hang in the
    /// server.
    async fn lives_on_with_hung(&self, stored: usize, hung: usize) {
        within(self.upload(b"after".to_vec())).await.unwrap();
        // The server notices a closed connection at its next read.
        within(async {
            while self.files(false).len() > hung {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        let all = self.files(true);
        let all: Vec<Vec<u8>> = all.iter().map(|path| fs::read(path).unwrap()).collect();
        assert_eq!(all.len(), stored + 1);
        let different: BTreeSet<&Vec<u8>> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "a file is stored twice");
    }
}

#[track_caller]
fn within<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let outcome = timeout(PATIENCE, future).await;
        outcome.unwrap_or_else(|_| panic!("too late at {caller}"))
    }
}

/// Returns a file whose content depends on its number.
fn file(number: usize, length: usize) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(length, b'x');
    bytes
}

fn on_disk(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("source.bin");
    fs::write(&path, bytes).unwrap();
    path
}

/// A reader that returns `left` bytes and then behaves as `then` demands. The other owner of `held`
/// can detect that the reader was dropped.
struct Reader {
    left: usize,
    then: Then,
    held: Arc<()>,
}

enum Then {
    Fail,
    End,
    Hang,
    Pause(Pin<Box<tokio::time::Sleep>>, usize),
}

impl Reader {
    fn new(left: usize, then: Then) -> Self {
        Self {
            left,
            then,
            held: Arc::default(),
        }
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.left == 0 {
            match &mut self.then {
                Then::Fail => return Poll::Ready(Err(io::Error::other("the disk is broken"))),
                Then::End => return Poll::Ready(Ok(0)),
                Then::Hang => return Poll::Pending,
                Then::Pause(pause, more) => {
                    std::task::ready!(pause.as_mut().poll(cx));
                    self.left = *more;
                    self.then = Then::End;
                }
            }
        }
        let count = buffer.len().min(self.left);
        buffer[..count].fill(b'r');
        self.left -= count;
        Poll::Ready(Ok(count))
    }
}

fn transport(outcome: Result<FileToken, Error>) -> TransportError {
    match outcome {
        Err(Error::Transport(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: Result<FileToken, Error>) -> u16 {
    match outcome {
        Err(Error::Server(refused)) => refused.status,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn upload_cut_is_retried_if_source_rewinds() {
    let mut world = World::new().await;
    let length = 8 << 20;
    for _ in 0..TIMES {
        let at = world.rng.u64(0..length);
        world.hinder(FaultKind::Drop, at).await;
    }
    let uploads = (0..TIMES).map(|number| world.upload(file(number, length as usize)));
    let outcomes = within(join_all(uploads)).await;
    // An upload that was cut after its last byte may have been stored.
    let stored = outcomes.into_iter().filter(|outcome| match outcome {
        Ok(_) => true,
        Err(Error::Transport(TransportError::AnswerLost(_))) => false,
        Err(error) => panic!("{error}"),
    });
    world.lives_on_with(stored.count()).await;
}

#[tokio::test]
async fn upload_single_use_source_fails_on_loss() {
    let mut world = World::new().await;
    for _ in 0..TIMES {
        let at = world.rng.u64(0..1 << 20);
        world.hinder(FaultKind::Drop, at).await;
    }
    let uploads = (0..TIMES).map(|_| {
        let reader = Reader::new(LARGE, Then::End);
        world.upload(UploadSource::reader(LARGE as u64, reader))
    });
    for outcome in within(join_all(uploads)).await {
        let error = transport(outcome);
        assert!(matches!(error, TransportError::Http(_)), "{error:?}");
    }
    world.lives_on_with(0).await;
}

#[tokio::test]
async fn upload_of_a_stream_sends_all_chunks() {
    let world = World::new().await;
    let chunk = vec![b's'; 1000];
    let body = stream::iter((0..100).map(move |_| Ok::<_, io::Error>(chunk.clone())));
    within(world.upload(UploadSource::stream(100_000, body)))
        .await
        .unwrap();
    world.lives_on_with(1).await;
}

#[tokio::test]
async fn upload_of_a_failing_stream_fails() {
    let world = World::new().await;
    let body = stream::iter([Ok("some"), Err("the browser is gone")]);
    let error = transport(within(world.upload(UploadSource::stream(1000, body))).await);
    assert!(matches!(error, TransportError::Source(_)), "{error:?}");
    world.lives_on_with(0).await;
}

#[tokio::test]
async fn upload_seekable_reader_is_read_again() {
    let mut world = World::new().await;
    let at = world.rng.u64(0..1 << 20);
    world.hinder(FaultKind::Drop, at).await;
    let reader = Cursor::new(vec![b'r'; LARGE]);
    let source = seekable_source(LARGE as u64, reader);
    within(world.upload(source)).await.unwrap();
    world.lives_on_with(1).await;
}

#[tokio::test]
async fn upload_lost_answer_is_not_retried() {
    let world = World::new().await;
    world.hinder(FaultKind::Drop, u64::MAX).await;
    let error = transport(within(world.upload(file(1, 100_000))).await);
    assert!(matches!(error, TransportError::AnswerLost(_)), "{error:?}");
    world.lives_on_with(1).await;
}

#[tokio::test]
async fn upload_rejected_token_is_replaced_once() {
    let mut world = World::new().await;
    for number in 0..3 {
        let at = world.rng.u64(0..LARGE as u64);
        world.hinder(FaultKind::Unauthorized, at).await;
        within(world.upload(file(number, LARGE))).await.unwrap();
    }
    world.hinder(FaultKind::Unauthorized, 1 << 20).await;
    let reader = Reader::new(LARGE, Then::End);
    let once = UploadSource::reader(LARGE as u64, reader);
    assert_eq!(refused(within(world.upload(once)).await), 401);
    world.lives_on_with(3).await;
}

#[tokio::test]
async fn upload_server_error_is_retried() {
    let mut world = World::new().await;
    for kind in [FaultKind::InternalError, FaultKind::TooManyRequests] {
        let at = world.rng.u64(0..LARGE as u64);
        world.hinder(kind, at).await;
    }
    within(world.upload(file(1, LARGE))).await.unwrap();
    world.lives_on_with(1).await;
}

#[tokio::test]
async fn upload_reaches_returning_server() {
    let world = World::new().await;
    world.slow_down(1).await;
    let upload = world.upload(file(1, LARGE));
    let mut progress = upload.progress();
    let outage = async {
        while progress.next().await.is_some_and(|now| now.sent < 1 << 20) {}
        world.emulator.refuse_connections(true);
        world.emulator.drop_connections().await.unwrap();
        sleep(Duration::from_millis(500)).await;
        world.emulator.refuse_connections(false);
    };
    let (token, ()) = within(async { tokio::join!(upload, outage) }).await;
    token.unwrap();
    world.lives_on_with(1).await;
}

#[tokio::test]
async fn upload_changed_file_is_a_source_error() {
    type Change = fn(&PathBuf);
    let changes: [Change; 3] = [
        |path| fs::write(path, file(9, LARGE)).unwrap(),
        |path| fs::write(path, b"short").unwrap(),
        |path| {
            let longer = fs::OpenOptions::new().append(true).open(path);
            io::Write::write_all(&mut longer.unwrap(), b"more").unwrap();
        },
    ];
    for change in changes {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let path = on_disk(&folder, &file(1, LARGE));
        world.slow_down(1).await;
        let upload = world.upload(path.clone());
        let mut progress = upload.progress();
        let meanwhile = async {
            while progress.next().await.is_some_and(|now| now.sent < 1 << 20) {}
            change(&path);
        };
        let (outcome, ()) = within(async { tokio::join!(upload, meanwhile) }).await;
        let error = transport(outcome);
        assert!(matches!(error, TransportError::Source(_)), "{error:?}");
        world.lives_on_with(0).await;
    }
}

#[tokio::test]
async fn upload_failing_reader_is_a_source_error() {
    let mut world = World::new().await;
    for then in [Then::Fail, Then::End] {
        let reader = Reader::new(world.rng.usize(0..4 << 20), then);
        let held = Arc::downgrade(&reader.held);
        let source = UploadSource::reader(8 << 20, reader);
        let error = transport(within(world.upload(source)).await);
        assert!(matches!(error, TransportError::Source(_)), "{error:?}");
        within(async {
            while held.strong_count() > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
    world.lives_on_with(0).await;
}

#[tokio::test]
async fn upload_can_be_cancelled_at_any_moment() {
    let mut world = World::new().await;
    world.slow_down(TIMES).await;
    let mut held = Vec::new();
    let uploads: Vec<_> = (0..TIMES)
        .map(|_| {
            let reader = Reader::new(LARGE, Then::Hang);
            held.push(Arc::downgrade(&reader.held));
            let upload = world.upload(UploadSource::reader(LARGE as u64 + 1, reader));
            timeout(Duration::from_millis(world.rng.u64(0..600)), upload)
        })
        .collect();
    for outcome in within(join_all(uploads)).await {
        outcome.unwrap_err();
    }
    // The readers are dropped together with all other resources of the uploads.
    within(async {
        while held.iter().any(|held| held.strong_count() > 0) {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    world.lives_on_with(0).await;
}

#[tokio::test]
async fn upload_stalled_server_times_out() {
    let world = World::new().await;
    world.hinder(FaultKind::Stall, 1 << 20).await;
    let reader = Reader::new(LARGE, Then::End);
    let once = UploadSource::reader(LARGE as u64, reader);
    let stalled = TransportError::Deadline {
        after: STALL,
        maybe_happened: false,
        idempotent: false,
        last_failure: None,
    };
    assert_eq!(transport(within(world.upload(once)).await), stalled);

    // Bytes in memory can be read again, so that the upload is retried on another connection.
    world.hinder(FaultKind::Stall, 1 << 20).await;
    within(world.upload(file(1, LARGE))).await.unwrap();

    // A silent server that has received the whole file may have stored it.
    world.hinder(FaultKind::Stall, u64::MAX).await;
    let error = transport(within(world.upload(file(2, 1000))).await);
    assert!(matches!(error, TransportError::AnswerLost(_)), "{error:?}");

    for before in [0, 1 << 20] {
        let pause = Box::pin(sleep(10 * STALL));
        let reader = Reader::new(before, Then::Pause(pause, 1000 + before));
        let source = UploadSource::reader((1000 + 2 * before) as u64, reader);
        within(world.upload(source)).await.unwrap();
    }
    world.lives_on_with_hung(4, 2).await;
}

#[tokio::test]
async fn upload_progress_stops_with_the_server() {
    let world = World::new().await;
    world.hinder(FaultKind::Stall, 1 << 20).await;
    let reader = Reader::new(LARGE, Then::End);
    let upload = world.upload(UploadSource::reader(LARGE as u64, reader));
    let progress = upload.progress();
    let (outcome, progress) =
        within(async { tokio::join!(upload, progress.collect::<Vec<_>>()) }).await;
    transport(outcome);
    let sent = progress.last().unwrap().sent;
    // The server's bytes, and the bytes in the sockets' buffers.
    assert!((1 << 20..LARGE as u64).contains(&sent), "{sent}");
    world.lives_on_with_hung(0, 1).await;
}

#[tokio::test]
async fn upload_refused_by_check_is_not_read() {
    type Refuse = fn(&mut Settings);
    let refusals: [(Refuse, u16); 4] = [
        (|settings| settings.limits.max_file_size = Some(10), 400),
        (
            |settings| settings.limits.file_types = Some(BTreeSet::from(["png".into()])),
            400,
        ),
        (
            |settings| {
                let role = Role {
                    file_sharing: false,
                    ..Role::default()
                };
                settings.roles.insert("default".to_owned(), role);
            },
            403,
        ),
        (|settings| settings.limits.files = false, 403),
    ];
    for (refuse, status) in refusals {
        let mut settings = Settings::default();
        refuse(&mut settings);
        let world = World::with(settings).await;
        // The reader fails at its first byte, so that reading it would fail the test.
        let source = UploadSource::reader(11, Reader::new(0, Then::Fail));
        assert_eq!(refused(within(world.upload(source)).await), status);
        let settings = Settings::default();
        world.emulator.set_settings(settings).await.unwrap();
        world.lives_on_with(0).await;
    }
}

#[tokio::test]
async fn upload_refused_during_body_is_a_refusal() {
    let mut settings = Settings::default();
    let role = Role {
        voice_messages: false,
        ..Role::default()
    };
    settings.roles.insert("default".to_owned(), role);
    let world = World::with(settings).await;
    let voice = world.session.upload_voice(file(1, LARGE), "v.ogg");
    assert_eq!(refused(within(voice).await), 403);
    world.lives_on_with(0).await;
}
