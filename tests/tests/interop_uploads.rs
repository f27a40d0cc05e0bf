//! Uploads of the same files by the published client and ours. Except for the boundary, the server
//! must receive the same bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use anyhow::{Context, Error, Result};
use serde_json::json;
use talk_emulator::Emulator;
use talk_tests::{Peer, Recorder};
use talk_tokio::{Session, TalkOptions, UploadFuture, UploadMetadata};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(120);

/// Returns file names that a faulty client would not escape correctly.
fn filenames() -> [String; 12] {
    [
        "plain.txt".to_owned(),
        "a \"quoted\" name.txt".to_owned(),
        "line\r\nX-Injected: yes\r\n\r\nbreak.txt".to_owned(),
        "lone\rreturn, lone\nfeed".to_owned(),
        "../up/and\\down.txt".to_owned(),
        "🙂 👩‍👩‍👧 🇩🇪.png".to_owned(),
        "\u{202e}gpj.exe \u{2066}مرحبا שלום".to_owned(),
        format!("{}.bin", "long".repeat(600)),
        "100% %22 %0D%0A %.txt".to_owned(),
        "a;b=c; filename=\"evil.txt\"; name=\"subtype\"".to_owned(),
        " . spaces and\ttabs . ".to_owned(),
        "e\u{301}té ≠ été".to_owned(),
    ]
}

/// A kind of upload, with the published client's call.
struct Kind {
    call: &'static str,
    ours: fn(&Session, Vec<u8>, UploadMetadata) -> UploadFuture,
    width: Option<u32>,
    height: Option<u32>,
    duration: Option<f64>,
}

fn kinds() -> [Kind; 7] {
    let kind = |call, ours, size: Option<(u32, u32)>, duration| Kind {
        call,
        ours,
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        duration,
    };
    let image = |session: &Session, bytes, metadata| session.upload_image(bytes, metadata);
    let video = |session: &Session, bytes, metadata| session.upload_video(bytes, metadata);
    [
        kind(
            "session.uploadFile",
            |session, bytes, metadata| session.upload_file(bytes, metadata),
            None,
            None,
        ),
        kind("session.uploadImage", image, Some((640, 480)), None),
        kind("session.uploadImage", image, None, None),
        kind("session.uploadVideo", video, Some((1, 65_535)), Some(61.5)),
        kind("session.uploadVideo", video, None, Some(3.0)),
        kind(
            "session.uploadAudio",
            |session, bytes, metadata| session.upload_audio(bytes, metadata),
            None,
            Some(0.1 + 0.2),
        ),
        kind(
            "session.uploadVoice",
            |session, bytes, metadata| session.upload_voice(bytes, metadata),
            None,
            Some(1234.0625),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_both_clients_are_equal() -> Result<()> {
    let Some(peer) = Peer::install()? else {
        return Ok(());
    };
    timeout(PATIENCE, compare(peer)).await.context("too late")?
}

async fn compare(peer: Peer) -> Result<()> {
    let emulator = Emulator::start().await?;
    let (of_theirs, of_ours) = (
        Recorder::start(emulator.host()).await?,
        Recorder::start(emulator.host()).await?,
    );
    let options = TalkOptions::new("app", "alice")?.host(of_ours.host());
    let ours = talk_tokio::get_talk_session(options)?;
    let mut theirs = peer.drive(of_theirs.host(), "app", "bob")?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("file");
    // All byte values, and bytes that resemble the end of a part.
    let bytes = [&(0..=255).collect::<Vec<u8>>()[..], b"\r\n--\r\n----"].concat();
    std::fs::write(&path, &bytes)?;

    let mut uploads = Vec::new();
    for kind in kinds() {
        for filename in filenames() {
            let content_type = match uploads.len() % 3 {
                0 => None,
                1 => Some("image/png"),
                _ => Some("text/plain; charset=utf-8"),
            };
            let mut metadata = UploadMetadata::named(filename.as_str());
            let mut given = json!({ "filename": filename });
            if let Some(width) = kind.width {
                metadata = metadata.width(width);
                given["width"] = json!(width);
            }
            if let Some(height) = kind.height {
                metadata = metadata.height(height);
                given["height"] = json!(height);
            }
            if let Some(duration) = kind.duration {
                metadata = metadata.duration(duration);
                given["duration"] = json!(duration);
            }
            if let Some(content_type) = content_type {
                metadata = metadata.content_type(content_type);
                given["type"] = json!(content_type);
            }
            (kind.ours)(&ours, bytes.clone(), metadata).await?;
            let uploaded = theirs.call(kind.call, json!([path, given])).await?;
            uploaded.map_err(Error::msg)?;
            uploads.push(format!("{} {filename:?} {content_type:?}", kind.call));
        }
    }

    let posts = "POST /public_api/v1/app/files HTTP/1.1";
    let (theirs, ours) = (of_theirs.requests(posts)?, of_ours.requests(posts)?);
    assert_eq!(theirs.len(), uploads.len());
    assert_eq!(ours.len(), uploads.len());
    for ((upload, theirs), ours) in uploads.iter().zip(&theirs).zip(&ours) {
        let (theirs, ours) = (theirs.form()?, ours.form()?);
        assert!(
            theirs == ours,
            "{upload}:\n{}\n{}",
            theirs.escape_ascii(),
            ours.escape_ascii()
        );
    }
    Ok(())
}
