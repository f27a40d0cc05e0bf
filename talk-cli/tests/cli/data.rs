//! `talk emulator --data`: acknowledged changes survive any end of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use talk_tokio::{
    ContentBlock, ConversationRef, Error, Pacing, SendMessage, Session, TalkOptions,
    TransportError, UserParams, get_talk_session,
};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::support::{Emulator, talk};

const PATIENCE: Duration = Duration::from_secs(120);

/// The number of kills.
const KILLS: usize = 8;

fn session(host: &str) -> Session {
    let options = TalkOptions::new("app", "alice").unwrap().host(host);
    get_talk_session(options.pacing(Pacing::Off).force_new()).unwrap()
}

async fn join(session: &Session) -> ConversationRef {
    let alice = UserParams::named("Alice");
    session.current_user().set(alice).await.unwrap();
    let conversation = session.conversation("c").unwrap();
    let joined = conversation.create_if_not_exists(Default::default());
    joined.await.unwrap();
    conversation
}

/// Sends messages one after the other until `stop` is set. Returns the acknowledged texts.
async fn send_on(session: &Session, name: &str, stop: watch::Receiver<bool>) -> Vec<String> {
    let conversation = session.conversation("c").unwrap();
    let mut acknowledged = Vec::new();
    while !*stop.borrow() {
        let text = format!("{name} {}", acknowledged.len());
        conversation.send(text.as_str()).await.unwrap();
        acknowledged.push(text);
    }
    acknowledged
}

/// Uploads files until `stop` is set. Returns the acknowledged contents by token.
async fn upload_on(
    session: &Session,
    rng: &mut Rng,
    stop: watch::Receiver<bool>,
) -> BTreeMap<String, Vec<u8>> {
    let mut acknowledged = BTreeMap::new();
    for number in 0_u64.. {
        if *stop.borrow() {
            break;
        }
        let mut contents = number.to_le_bytes().to_vec();
        contents.resize(8 + rng.usize(0..400_000), b'x');
        match session.upload_file(contents.clone(), "f").await {
            Ok(token) => {
                acknowledged.insert(token.as_str().to_owned(), contents);
            }
            // The answer was in flight when the process was killed.
            Err(Error::Transport(TransportError::AnswerLost(_))) => {}
            Err(error) => panic!("{error}"),
        }
    }
    acknowledged
}

async fn kill_again_and_again(emulator: &mut Emulator, folder: &str, rng: &mut Rng) {
    let port = emulator.host.rsplit(':').next().unwrap().to_owned();
    for _ in 0..KILLS {
        sleep(Duration::from_millis(rng.u64(20..400))).await;
        emulator.process.kill().unwrap();
        emulator.process.wait().unwrap();
        *emulator = Emulator::start_on(&port, &["--data", folder]);
    }
}

/// Returns all messages, oldest first.
async fn texts(conversation: &ConversationRef) -> Vec<String> {
    let messages = conversation.subscribe_messages();
    let mut window = messages.connected().await.unwrap().unwrap();
    while !window.loaded_all() {
        messages.load_more(100).await.unwrap();
        window = messages.latest().unwrap().unwrap();
    }
    let texts = window.iter().map(|message| message.plaintext());
    let mut texts: Vec<String> = texts.collect();
    texts.reverse();
    texts
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder.join("files")).unwrap();
    files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}

#[tokio::test]
async fn killed_process_loses_nothing_acknowledged() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut emulator = Emulator::start(&["--data", data]);
    let session = session(&emulator.host);
    let conversation = join(&session).await;
    let (stop, stopped) = watch::channel(false);
    let mut uploads = Rng::with_seed(seed);
    let story = async {
        let ((), one, two, files) = tokio::join!(
            async {
                kill_again_and_again(&mut emulator, data, &mut rng).await;
                stop.send_replace(true);
            },
            send_on(&session, "one", stopped.clone()),
            send_on(&session, "two", stopped.clone()),
            upload_on(&session, &mut uploads, stopped.clone()),
        );
        (one, two, files)
    };
    let (one, two, uploaded) = timeout(PATIENCE, story).await.unwrap();
    assert!(one.len() > KILLS && two.len() > KILLS && !uploaded.is_empty());

    // Another restart, so that the data is read from the folder.
    emulator.process.kill().unwrap();
    emulator.process.wait().unwrap();
    let port = emulator.host.rsplit(':').next().unwrap().to_owned();
    emulator = Emulator::start_on(&port, &["--data", data]);
    let stored = timeout(PATIENCE, texts(&conversation)).await.unwrap();
    let of = |name: &str| -> Vec<String> {
        let of = stored.iter().filter(|text| text.starts_with(name));
        of.cloned().collect()
    };
    assert_eq!(of("one"), one);
    assert_eq!(of("two"), two);

    for (token, contents) in &uploaded {
        let kept = fs::read(folder.path().join("files").join(token)).unwrap();
        assert!(kept == *contents, "{token} differs");
    }
    // A file whose answer was lost is stored at most once.
    let contents = files(folder.path());
    let numbers: BTreeSet<&[u8]> = contents.iter().map(|file| &file[..8]).collect();
    assert_eq!(numbers.len(), contents.len());
    assert!(contents.len() >= uploaded.len());

    // A stored file can be sent.
    if let Some(token) = uploaded.keys().next() {
        let message = SendMessage::content([ContentBlock::file(token.as_str())]);
        conversation.send(message).await.unwrap();
    }
    drop(emulator);
}

#[tokio::test]
async fn data_folder_is_exclusive_and_keeps_settings() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let emulator = Emulator::start(&["--data", data, "--secret", "s3cret"]);
    let second = talk().args(["emulator", "--data", data]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let message = String::from_utf8(second.stderr).unwrap();
    assert!(
        message.contains(data) && message.contains("another emulator"),
        "{message}"
    );
    drop(emulator);

    let emulator = Emulator::start(&["--data", data]);
    let refused = session(&emulator.host).user("bob").unwrap().get().await;
    assert!(matches!(refused, Err(Error::Session(_))), "{refused:?}");
}

#[test]
fn data_folder_unusable_is_reported() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("talk.sqlite"),
        "this is no database at all",
    )
    .unwrap();
    for path in [file.path(), folder.path()] {
        let output = talk()
            .args(["emulator", "--data"])
            .arg(path)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(path.to_str().unwrap()), "{message}");
    }
}
