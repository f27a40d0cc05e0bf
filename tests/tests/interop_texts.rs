//! Random message texts, sent by the published client and parsed by ours.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::json;
use talk_emulator::Emulator;
use talk_proto::content::{MarkupSource, parse_markup};
use talk_tests::Peer;
use talk_tokio::{TalkOptions, UserParams};
use tokio::time::timeout;

const TEXTS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(120);

/// The environment variable for the seed of a failed run, to repeat it.
const SEED: &str = "TALK_TEXTS_SEED";

#[tokio::test(flavor = "multi_thread")]
async fn random_texts_are_parsed_as_by_the_published_client() -> Result<()> {
    let Some(peer) = Peer::install()? else {
        return Ok(());
    };
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse()?,
        Err(_) => Rng::new().u64(..),
    };
    let emulator = Emulator::start().await?;
    let options = TalkOptions::new("texts", "alice")?.host(emulator.host());
    let alice = talk_tokio::get_talk_session(options)?;
    let params = UserParams::named("Alice");
    alice.current_user().create_if_not_exists(params).await?;
    let conversation = alice.conversation("c")?;
    conversation
        .create_if_not_exists(Default::default())
        .await?;

    let mut bob = peer.drive(emulator.host(), "texts", "bob")?;
    let join = [
        ("user.createIfNotExists", json!(["bob", { "name": "Bob" }])),
        ("conversation.createIfNotExists", json!(["c"])),
    ];
    for (call, args) in join {
        let answer = bob.call(call, args).await?;
        ensure!(answer.is_ok(), "{call}: {answer:?}");
    }
    let mut rng = Rng::with_seed(seed);
    let mut different = Vec::new();
    for _ in 0..TEXTS {
        let text = random_text(&mut rng);
        let sent = bob.call("conversation.send", json!(["c", text]));
        let sent = timeout(PATIENCE, sent).await??;
        let id = match &sent {
            Ok(message) => message["messageRef"].as_str().context("no ID")?,
            Err(error) => anyhow::bail!("{text:?} was refused: {error}"),
        };
        let message = conversation.message(id)?.get().await?;
        let theirs = message.context("the message is gone")?.content.clone();
        let ours = parse_markup(&text, MarkupSource::Send);
        let (theirs, ours) = (json!(theirs), json!(ours));
        // The published client loses punctuation before emphasis; ours keeps it.
        let has_emphasis = ours.to_string().contains("\"italic\"");
        if theirs != ours && !has_emphasis {
            different.push(format!("{text:?}\n  theirs {theirs}\n  ours   {ours}"));
        }
    }
    let count = different.len();
    ensure!(
        different.is_empty(),
        "{SEED}={seed}: {count} of {TEXTS} texts differ:\n{}",
        different.join("\n")
    );
    Ok(())
}

fn random_text(rng: &mut Rng) -> String {
    loop {
        let mut text = String::new();
        for _ in 0..rng.usize(1..6) {
            text += &match rng.u8(..6) {
                0 => clock_time(rng),
                1 => time_range(rng),
                2 => digits(rng),
                3 => format!("{}-{}", rng.u32(1900..2100), rng.u32(1900..2100)),
                4 => soup(rng),
                _ => one_of(rng, WORDS).to_owned(),
            };
            text += one_of(rng, &[" ", " ", " ", "", "\n", ", ", "; ", "."]);
        }
        let text = text.trim();
        if !text.is_empty() {
            return text.to_owned();
        }
    }
}

/// Addresses begin with a space, because the published client repeats the end of an address behind
/// digits and a dot, and ours does not.
const WORDS: &[&str] = &[
    "from",
    "at",
    "tel",
    "open",
    "é",
    "😀",
    "x1",
    "_y",
    "a-b",
    " https://example.com/1234567",
    " bob@example.com",
    " example.com:8080",
    "(",
    ")",
    ",",
    ".",
    "!",
    "\n",
    "/",
    ":",
    "#1",
    "@me",
    "1",
    " v2.0.1",
    "```code```",
];

fn one_of(rng: &mut Rng, choices: &[&'static str]) -> &'static str {
    choices[rng.usize(..choices.len())]
}

fn clock_time(rng: &mut Rng) -> String {
    let (hour, minute) = (rng.u32(..26), rng.u32(..62));
    let separator = one_of(rng, &[".", ".", ".", ".", "_", ":", "-"]);
    if rng.bool() {
        format!("{hour}{separator}{minute:02}")
    } else {
        format!("{hour:02}{separator}{minute:02}")
    }
}

fn time_range(rng: &mut Rng) -> String {
    let (from, to) = (clock_time(rng), clock_time(rng));
    let separator = one_of(rng, &["-", "-", "-", "-", " - ", "–", "+"]);
    let end = match rng.u8(..6) {
        0 => format!("-{}", clock_time(rng)),
        1 => ".".to_owned(),
        _ => String::new(),
    };
    format!("{from}{separator}{to}{end}")
}

/// Returns digits with single separators, as in a phone number.
fn digits(rng: &mut Rng) -> String {
    let mut text = one_of(rng, &["", "", "+", "("]).to_owned();
    for _ in 0..rng.usize(5..16) {
        text.push(char::from(rng.u8(b'0'..=b'9')));
        if rng.u8(..3) == 0 {
            text += one_of(rng, &[" ", "(", ")", ".", "-", "_", "+"]);
        }
    }
    text
}

/// Returns any characters of phone numbers and their surroundings.
fn soup(rng: &mut Rng) -> String {
    const CHARACTERS: &[u8] = b"012345678901234567890123456789 .-_+():/,;";
    let length = rng.usize(5..30);
    std::iter::repeat_with(|| char::from(CHARACTERS[rng.usize(..CHARACTERS.len())]))
        .take(length)
        .collect()
}
