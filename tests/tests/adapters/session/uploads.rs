use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::io::{AsyncRead, Cursor};
use futures_util::{StreamExt, stream};
use http::Request;
use talk_client::net::Native;
use talk_client::transport::{RequestBody, Transport};
use talk_client::{
    ContentBlock, ConversationRef, Error, FileBlock, FileSubtype, FileToken, SendMessage, Session,
    TalkOptions, TransportError, UploadMetadata, UploadSource, UserParams,
};
use talk_emulator::Emulator;
use talk_emulator::server::Settings;
use tempfile::NamedTempFile;
use tokio::{join, select};

use crate::adapters::adapter::Adapter;
use crate::adapters::server::{start_emulator, start_emulator_as};

async fn conversation<A: Adapter>(emulator: &Emulator) -> (Session, ConversationRef) {
    let options = TalkOptions::new("app", "alice").unwrap();
    let session = A::session(options.host(emulator.host()));
    let conversation = session.conversation("c").unwrap();
    async {
        let alice = UserParams::named("Alice");
        session.current_user().set(alice).await?;
        conversation.create_if_not_exists(Default::default()).await
    }
    .await
    .unwrap();
    (session, conversation)
}

fn pattern(length: usize) -> Bytes {
    (0..length).map(|i| (i % 251) as u8).collect()
}

/// Sends the file as a message, and returns its block from the server and its bytes.
async fn downloaded<A: Adapter>(
    conversation: &ConversationRef,
    token: &FileToken,
) -> (FileBlock, Vec<u8>) {
    let block = ContentBlock::file(token.as_str());
    let message = SendMessage::content(vec![block]);
    let sent = conversation.send(message).await.unwrap();
    let snapshot = sent.get().await.unwrap().unwrap();
    let ContentBlock::File(file) = &snapshot.content[0] else {
        panic!("{:?}", snapshot.content);
    };
    let url = file.url.clone().unwrap();
    let request = Request::get(&*url).body(RequestBody::default()).unwrap();
    let native = Native::new(A::runtime());
    let answer = native.http(request).await.unwrap();
    let chunks: Vec<_> = answer.into_body().collect().await;
    let bytes: Vec<Bytes> = chunks.into_iter().map(Result::unwrap).collect();
    ((**file).clone(), bytes.concat())
}

/// Creates a temporary file with these bytes.
fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}
async fn upload_from_every_source_round_trips<A: Adapter>() {
    let emulator = start_emulator().await;
    let (session, conversation) = conversation::<A>(&emulator).await;
    let bytes = pattern(1_000_003);
    let file = file(&bytes);
    let reader = Cursor::new(bytes.to_vec());
    let sources = [
        UploadSource::bytes(bytes.clone()),
        UploadSource::file(file.path()),
        UploadSource::reader(bytes.len() as u64, reader.clone()),
        UploadSource::seekable(bytes.len() as u64, reader),
    ];
    for source in sources {
        let upload = session.upload_file(source, "a \"b\" é.txt");
        let token = upload.await.unwrap();
        let (block, down) = downloaded::<A>(&conversation, &token).await;
        assert_eq!(block.size, Some(1_000_003));
        assert_eq!(block.filename.as_deref(), Some("a \"b\" é.txt"));
        assert!(down == bytes, "the bytes differ");
    }
    let token = session
        .upload_file(Vec::<u8>::new(), "empty")
        .await
        .unwrap();
    assert_eq!(downloaded::<A>(&conversation, &token).await.1, b"");
}

async fn upload_kind_and_metadata_round_trip<A: Adapter>() {
    let emulator = start_emulator().await;
    let (session, conversation) = conversation::<A>(&emulator).await;
    let metadata = || UploadMetadata::named("f").size(4, 3).duration(1.5);
    let source = || pattern(9);
    let uploads = [
        (
            session.upload_image(source(), metadata()),
            FileSubtype::Image,
        ),
        (
            session.upload_video(source(), metadata()),
            FileSubtype::Video,
        ),
        (
            session.upload_audio(source(), metadata()),
            FileSubtype::Audio,
        ),
        (
            session.upload_voice(source(), metadata()),
            FileSubtype::Voice,
        ),
    ];
    for (upload, subtype) in uploads {
        let token = upload.await.unwrap();
        let (block, _) = downloaded::<A>(&conversation, &token).await;
        let has_size = matches!(subtype, FileSubtype::Image | FileSubtype::Video);
        let has_duration = subtype != FileSubtype::Image;
        assert_eq!(block.subtype, Some(subtype));
        assert_eq!(block.width, has_size.then_some(4.0));
        assert_eq!(block.height, has_size.then_some(3.0));
        assert_eq!(block.duration, has_duration.then_some(1.5));
    }
}

async fn upload_progress_reaches_the_total<A: Adapter>() {
    let emulator = start_emulator().await;
    let (session, _) = conversation::<A>(&emulator).await;
    let upload = session.upload_file(pattern(3 << 20), "large");
    let progress = upload.progress();
    let (token, progress) = join!(upload, progress.collect::<Vec<_>>());
    token.unwrap();
    let last = progress.last().unwrap();
    assert_eq!((last.sent, last.total), (3 << 20, 3 << 20));
    assert!(progress.is_sorted_by_key(|progress| progress.sent));
}

async fn upload_refused_by_check_is_not_read<A: Adapter>() {
    struct Untouchable;
    impl AsyncRead for Untouchable {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            panic!("it is read");
        }
    }
    let mut settings = Settings::default();
    settings.limits.max_file_size = Some(10);
    let emulator = start_emulator_as(Emulator::builder().settings(settings)).await;
    let (session, _) = conversation::<A>(&emulator).await;
    let source = UploadSource::reader(11, Untouchable);
    let refused = session.upload_file(source, "large").await;
    assert!(matches!(refused, Err(Error::Server(_))), "{refused:?}");
    session.upload_file(pattern(10), "small").await.unwrap();
}

async fn upload_source_failure_keeps_session<A: Adapter>() {
    let emulator = start_emulator().await;
    let (session, _) = conversation::<A>(&emulator).await;
    let changing = file(&pattern(8 << 20));
    let short = UploadSource::reader(11, Cursor::new(vec![0; 10]));
    let missing = UploadSource::file("no/such/file");
    let directory = UploadSource::file(std::env::temp_dir());
    for source in [short, missing, directory] {
        let failed = session.upload_file(source, "f").await;
        let is_source = matches!(failed, Err(Error::Transport(TransportError::Source(_))));
        assert!(is_source, "{failed:?}");
    }

    let upload = session.upload_file(UploadSource::file(changing.path()), "f");
    let mut progress = upload.progress();
    let change = async {
        while progress.next().await.is_some_and(|p| p.total == 0) {}
        std::fs::write(changing.path(), b"short").unwrap();
    };
    let (failed, ()) = join!(upload, change);
    let is_source = matches!(failed, Err(Error::Transport(TransportError::Source(_))));
    assert!(is_source, "{failed:?}");
    session.upload_file(pattern(10), "f").await.unwrap();
}

async fn upload_dropped_is_cancelled<A: Adapter>() {
    let emulator = start_emulator().await;
    let (session, _) = conversation::<A>(&emulator).await;
    struct Endless(tokio::sync::mpsc::UnboundedSender<()>);
    impl AsyncRead for Endless {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let _ = self.0.send(());
            buffer.fill(b'x');
            Poll::Ready(Ok(buffer.len()))
        }
    }
    let (reads, mut read) = tokio::sync::mpsc::unbounded_channel();
    let source = UploadSource::reader(1 << 50, Endless(reads));
    let upload = session.upload_file(source, "endless");
    let mut progress = upload.progress();
    select! {
        outcome = upload => panic!("{outcome:?}"),
        _ = read.recv() => {}
    }
    // The source is dropped together with the upload.
    while read.recv().await.is_some() {}
    while progress.next().await.is_some() {}
    session.upload_file(pattern(10), "f").await.unwrap();
}

async fn upload_with_time_limit_fails<A: Adapter>() {
    let emulator = start_emulator().await;
    let (session, conversation) = conversation::<A>(&emulator).await;
    let stuck = || UploadSource::stream(10, stream::pending::<io::Result<Bytes>>());
    let limit = Duration::from_millis(50);
    let upload = session.upload_file(stuck(), "f").timeout(limit);
    let error = upload.await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let sending = conversation.send_file(stuck(), "f").timeout(limit);
    let error = sending.await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

on_every_runtime!(
    upload_with_time_limit_fails,
    upload_from_every_source_round_trips,
    upload_kind_and_metadata_round_trip,
    upload_progress_reaches_the_total,
    upload_refused_by_check_is_not_read,
    upload_source_failure_keeps_session,
    upload_dropped_is_cancelled,
);
