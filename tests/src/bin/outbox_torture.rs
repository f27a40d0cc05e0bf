//! Kills `talk send --queue` while it stores messages, and fills the disk of the store. Each
//! message that was reported as stored must be sent once and in order, and no message twice.
//!
//! ```text
//! cargo run -p talk-tests --bin outbox_torture -- --talk target/debug/talk
//! cargo run -p talk-tests --bin outbox_torture -- --talk target/debug/talk --full-disk
//! ```
//!
//! With `--full-disk`, the store is on a small file system in memory, which is full at first and
//! then grows. To mount it, the program must run as root, or under
//! `unshare --map-root-user --mount`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use talk_emulator::{Emulator, Seed};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const APP: &str = "my_app";
const USER: &str = "alice";

/// The number of processes at a time. Each has a conversation, in which it enqueues in order.
const WRITERS: usize = 4;

/// The number of messages that are enqueued before they are sent. An outbox has up to 1,000. Each
/// writer begins a round with its own residue.
const ROUND: usize = 125 * WRITERS;

/// The number of times that `talk outbox send` is killed in each round.
const SENDER_KILLS: u32 = 5;

/// The size of the messages that fill the disk.
const LONG: usize = 4_000;

/// The sizes of the file system: too small, too small for a running session, and large enough.
const SIZES: [&str; 3] = ["512k", "1m", "16m"];

/// A limit that no wait reaches, unless something hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Parser)]
struct Options {
    /// The command `talk`
    #[arg(long)]
    talk: PathBuf,
    /// Fill the disk instead of killing processes
    #[arg(long)]
    full_disk: bool,
    /// The number of messages
    #[arg(long, default_value_t = 2_000)]
    messages: usize,
    /// The number of processes to kill
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// The seed of the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let mut seed = Seed::new(APP).user(USER, "Alice");
    for writer in 0..WRITERS {
        seed = seed.conversation(conversation(writer), [USER]);
    }
    let emulator = Emulator::builder().initial_data(seed).start().await?;
    let folder = tempfile::tempdir()?;
    let town = Town {
        talk: options.talk.clone(),
        store: folder.path().join("store").display().to_string(),
        emulator,
    };
    if !options.full_disk {
        return kill_writers(&town, &options).await;
    }
    mount(folder.path(), "size", SIZES[0]).await?;
    let done = fill_disk(&town, folder.path()).await;
    let unmounted = Command::new("umount").arg(folder.path()).status().await?;
    done?;
    ensure!(unmounted.success(), "the file system cannot be unmounted");
    Ok(())
}

fn conversation(writer: usize) -> String {
    format!("c{writer}")
}

struct Town {
    talk: PathBuf,
    store: String,
    emulator: Emulator,
}

impl Town {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.talk);
        let host = self.emulator.host();
        command
            .args(["--app", APP, "--user", USER, "--host", host, "--json"])
            .args(["--store", &self.store])
            .args(args)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, args: &[&str]) -> Result<Output> {
        let output = timeout(PATIENCE, self.command(args).output()).await;
        output.context("a command hangs")?.context("no command")
    }

    /// Returns the texts of the entries in the store, oldest first.
    async fn entries(&self) -> Result<Vec<String>> {
        let output = self.run(&["outbox", "list"]).await?;
        ensure!(output.status.success(), "outbox list: {output:?}");
        let lines = String::from_utf8(output.stdout)?;
        lines
            .lines()
            .map(|line| {
                let entry: Value = serde_json::from_str(line)?;
                Ok(entry["plaintext"].as_str().context("no text")?.to_owned())
            })
            .collect()
    }

    /// Returns the texts on the server, oldest first.
    async fn sent(&self, writer: usize) -> Result<Vec<String>> {
        let messages = self.emulator.messages(APP, &conversation(writer)).await?;
        Ok(messages.iter().map(|message| message.plaintext()).collect())
    }

    /// Enqueues a message. Returns `true` if it was reported as stored. With `life`, the process is
    /// killed after this time.
    async fn enqueue(&self, writer: usize, text: &str, life: Option<Duration>) -> Result<bool> {
        let conversation = conversation(writer);
        let mut command = self.command(&["send", "--queue", &conversation, text]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = command.spawn()?;
        let id = process.id();
        let output = process.wait_with_output();
        let mut output = std::pin::pin!(output);
        let output = match life {
            None => timeout(PATIENCE, output)
                .await
                .context("a command hangs")??,
            Some(life) => match timeout(life, &mut output).await {
                Ok(output) => output?,
                Err(_) => {
                    kill(id).await?;
                    output.await?
                }
            },
        };
        let is_stored = output.stdout.ends_with(b"}\n");
        if life.is_none() {
            ensure!(is_stored, "{text} is not stored: {output:?}");
        }
        Ok(is_stored)
    }
}

/// Kills a process, which may have ended.
async fn kill(id: Option<u32>) -> Result<()> {
    if let Some(id) = id {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", &id.to_string()]).stderr(Stdio::null());
        kill.status().await?;
    }
    Ok(())
}

/// Enqueues messages, and kills some of the processes. Then sends them, and kills senders.
async fn kill_writers(town: &Town, options: &Options) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(options.seed);
    let started = Instant::now();
    town.enqueue(0, "0", None).await?;
    let life = started.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
    let kills = random.choose_multiple(1..options.messages, options.kills);
    let kills: BTreeMap<_, _> = kills
        .into_iter()
        .map(|message| (message, Duration::from_micros(random.u64(0..life * 2))))
        .collect();
    let mut stored = vec![Vec::new(); WRITERS];
    for begin in (0..options.messages).step_by(ROUND) {
        let round = begin..options.messages.min(begin + ROUND);
        let writers = stored.iter_mut().enumerate().map(async |(writer, stored)| {
            for message in round.clone().skip(writer).step_by(WRITERS) {
                let text = message.to_string();
                let life = kills.get(&message).copied();
                if message == 0 || town.enqueue(writer, &text, life).await? {
                    stored.push(text);
                }
            }
            anyhow::Ok(())
        });
        try_join_all(writers).await?;
        send(town, &mut random).await?;
    }
    let took = started.elapsed();
    let mut more = 0;
    for (writer, stored) in stored.iter().enumerate() {
        let sent = town.sent(writer).await?;
        check(stored, &sent, |text| {
            let message: usize = text.parse().unwrap_or(usize::MAX);
            kills.contains_key(&message) && message % WRITERS == writer
        })?;
        more += sent.len() - stored.len();
    }
    println!(
        "{} messages by as many processes, of which {} were killed: each stored one was sent once \
         and in order, and {more} of those without a report; {SENDER_KILLS} kills of the sender \
         in each round; {} s",
        options.messages,
        kills.len(),
        took.as_secs()
    );
    Ok(())
}

/// Sends all entries. Kills the first senders.
async fn send(town: &Town, random: &mut fastrand::Rng) -> Result<()> {
    for _ in 0..SENDER_KILLS {
        let mut sender = town.command(&["outbox", "send"]);
        let mut sender = sender.stdout(Stdio::null()).spawn()?;
        let life = Duration::from_millis(random.u64(20..400));
        if timeout(life, sender.wait()).await.is_err() {
            sender.kill().await?;
        }
    }
    let output = town.run(&["outbox", "send"]).await?;
    ensure!(output.status.success(), "outbox send: {output:?}");
    Ok(())
}

/// Checks that the stored texts were sent once and in order, and that all others are allowed.
fn check(stored: &[String], sent: &[String], is_allowed: impl Fn(&str) -> bool) -> Result<()> {
    let distinct: BTreeSet<_> = sent.iter().collect();
    ensure!(distinct.len() == sent.len(), "a message was sent twice");
    let mut rest = stored.iter().peekable();
    for text in sent {
        if rest.next_if_eq(&text).is_none() {
            ensure!(is_allowed(text), "{text:?} was sent out of order");
        }
    }
    match rest.next() {
        Some(text) => bail!("{text:?} was stored and not sent"),
        None => Ok(()),
    }
}

/// Mounts a file system in memory, or changes its size.
async fn mount(folder: &Path, options: &str, size: &str) -> Result<()> {
    let mut mount = Command::new("mount");
    let options = format!("{options}={size}");
    mount
        .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
        .arg(folder);
    ensure!(mount.status().await?.success(), "no permission to mount");
    Ok(())
}

/// Enqueues messages until the disk is full, first by short commands and then by `talk rpc`.
async fn fill_disk(town: &Town, folder: &Path) -> Result<()> {
    let text = |number: usize| format!("{number} {}", "x".repeat(LONG));
    let mut stored = Vec::new();
    let name = conversation(0);
    let refused = loop {
        let text = text(stored.len());
        let output = town.run(&["send", "--queue", &name, &text]).await?;
        if !output.status.success() {
            break output;
        }
        stored.push(text);
        ensure!(stored.len() < 1_000, "the disk is not full");
    };
    let error: Value = serde_json::from_slice(&refused.stderr)?;
    ensure!(refused.status.code() == Some(1), "{refused:?}");
    ensure!(error["error"]["kind"] == "store", "{error}");
    println!(
        "after {} messages: {}",
        stored.len(),
        error["error"]["message"]
    );

    mount(folder, "remount,size", SIZES[1]).await?;
    ensure!(town.entries().await? == stored, "an entry is missing");
    let short = stored.len();
    let mut rpc = Rpc::start(town)?;
    rpc.call("outbox.pause", json!([name])).await?;
    let error = loop {
        let text = text(stored.len());
        let answer = rpc
            .call("conversation.enqueue", json!([name, text]))
            .await?;
        stored.push(text);
        if let Some(error) = answer.get("error") {
            break error.clone();
        }
        ensure!(stored.len() < 1_000, "the disk is not full");
    };
    ensure!(error["kind"] == "store", "{error}");
    println!(
        "after {} more: {}",
        stored.len() - short - 1,
        error["message"]
    );

    mount(folder, "remount,size", SIZES[2]).await?;
    rpc.call("outbox.retryAll", json!([])).await?;
    rpc.call("outbox.resume", json!([name])).await?;
    rpc.call("outbox.subscribe", json!([])).await?;
    while rpc.line().await?.get("snapshot") != Some(&json!([])) {}
    drop(rpc);
    check(&stored, &town.sent(0).await?, |_| false)?;
    println!(
        "with room again, all {} were sent once and in order",
        stored.len()
    );
    Ok(())
}

/// A running `talk rpc`.
struct Rpc {
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Rpc {
    fn start(town: &Town) -> Result<Self> {
        let mut command = town.command(&["rpc"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().context("no output")?;
        Ok(Self {
            input: process.stdin.take().context("no input")?,
            lines: BufReader::new(output).lines(),
            _process: process,
        })
    }

    async fn line(&mut self) -> Result<Value> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.context("no answer")??.context("talk rpc has ended")?;
        Ok(serde_json::from_str(&line)?)
    }

    async fn call(&mut self, call: &str, args: Value) -> Result<Value> {
        let line = format!("{}\n", json!({"id": call, "call": call, "args": args}));
        self.input.write_all(line.as_bytes()).await?;
        loop {
            let line = self.line().await?;
            if line.get("id") == Some(&json!(call)) {
                return Ok(line);
            }
        }
    }
}
