//! Kills a bot every two seconds while questions arrive, connections are lost and the server
//! restarts. Each question must be answered exactly once and in order.
//!
//! ```text
//! cargo run -p talk-tests --bin bot_torture -- --talk target/debug/talk
//! cargo run -p talk-tests --bin bot_torture -- --example target/debug/support_bot
//! cargo run -p talk-tests --bin bot_torture -- --talk target/debug/talk --database
//! ```
//!
//! With `--database`, two bots share a store on PostgreSQL. At random times, one of them is killed,
//! or suspended for longer than its lease lasts. The database restarts twice.

use std::convert::Infallible;
use std::future::pending;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use talk_emulator::{Emulator, Seed};
use talk_proto::model::MessageSnapshot;
use talk_tokio::{ParticipantParams, Session, TalkOptions, get_talk_session};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use server::Server;

/// The number of conversations, and the number of those that exist at the start.
const CONVERSATIONS: usize = 50;
const EARLY: usize = 40;

/// The number of questions, and the number of those in each of the first two conversations.
const QUESTIONS: usize = 500;
const LONG: usize = 100;

/// The number of times that all connections are lost, and that the server or the database restarts.
const LOSSES: u32 = 10;
const RESTARTS: u32 = 2;

/// The time between two kills.
const LIFE: Duration = Duration::from_secs(2);

/// The time until a bot with a database is killed or suspended, in seconds.
const SHARED_LIFE: Range<u64> = 5..30;

/// The time for which a bot is suspended. A lease lasts 15 s.
const STOPPED: Duration = Duration::from_secs(20);

/// The time for which the database is down.
const OUTAGE: Duration = Duration::from_secs(5);

/// The time limit for the remaining answers after the last question.
const PATIENCE: Duration = Duration::from_secs(300);

#[allow(
    clippy::unwrap_used,
    dead_code,
    reason = "the tests of talk-postgres use more of it"
)]
#[path = "../../../talk-postgres/tests/server/mod.rs"]
mod server;

const APP: &str = "my_app";
const BOT: &str = "support_bot";
const USER: &str = "bob";

#[derive(Debug, Parser)]
struct Options {
    /// The command `talk`, whose `talk bot` is tested
    #[arg(long, required_unless_present = "example")]
    talk: Option<PathBuf>,
    /// A bot that takes the host and the file of its store
    #[arg(long, conflicts_with = "talk")]
    example: Option<PathBuf>,
    /// Start two bots on one PostgreSQL
    #[arg(long)]
    database: bool,
    /// The time in which the questions arrive, in seconds
    #[arg(long, default_value_t = 40)]
    seconds: u64,
    /// The seed of the order of the questions
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let mut seed = Seed::new(APP).user(BOT, "Support").user(USER, "Bob");
    for number in 0..EARLY {
        seed = seed.conversation(name(number), [BOT, USER]);
    }
    let emulator = Emulator::builder().initial_data(seed).start().await?;
    let mut database = None;
    if options.database {
        database = Some(Server::start().context("PostgreSQL is not installed")?);
    }
    let address = database.as_ref().map(Server::address);
    let bot = Bot::new(&options, emulator.host(), folder.path(), address);
    let bob = get_talk_session(TalkOptions::new(APP, USER)?.host(emulator.host()))?;

    let started = Instant::now();
    let duration = Duration::from_secs(options.seconds);
    let questions = async {
        tokio::try_join!(
            ask_all(&bob, options.seed, duration),
            disrupt(&emulator, duration)
        )?;
        let answered = timeout(PATIENCE, wait_for_answers(&emulator)).await;
        answered.context("answers are missing")?
    };
    let lives = async {
        match &mut database {
            None => bot.kill_repeatedly().await,
            Some(database) => {
                let lives = (bot.interrupt(options.seed), bot.interrupt(options.seed + 1));
                tokio::try_join!(lives.0, lives.1, restart(database, duration)).map(|it| it.0)
            }
        }
    };
    tokio::select! {
        done = questions => done,
        ended = lives => ended.map(|never| match never {}),
    }
    .inspect_err(|_| eprintln!("{} kills so far", bot.kills()))?;
    // A bot that runs without interruption must not find anything to answer.
    let mut last = bot.start()?;
    sleep(LIFE * 2).await;
    last.kill().await?;

    check(&emulator).await?;
    let kills = bot.kills();
    println!(
        "{QUESTIONS} questions in {CONVERSATIONS} conversations, each answered once and in order: \
         {kills} kills, {LOSSES} losses, {RESTARTS} restarts of the server, {} s",
        started.elapsed().as_secs()
    );
    if let Some(runs) = bot.runs()? {
        let limit = QUESTIONS + 8 * kills;
        println!("the command ran {runs} times, at most {limit} are allowed");
        ensure!(runs <= limit, "the command ran too often");
    }
    Ok(())
}

fn name(number: usize) -> String {
    format!("c{number}")
}

/// The bot to kill.
struct Bot {
    program: PathBuf,
    args: Vec<String>,
    /// The file with a line for each run of the command.
    runs: Option<PathBuf>,
    kills: AtomicUsize,
}

impl Bot {
    fn new(options: &Options, host: &str, folder: &Path, database: Option<String>) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        let standby = database.as_ref().map(|_| "--standby");
        let store = database.unwrap_or_else(|| path("store"));
        let kills = AtomicUsize::new(0);
        if let Some(example) = &options.example {
            return Self {
                program: example.clone(),
                args: vec![host.to_owned(), store],
                runs: None,
                kills,
            };
        }
        let runs = path("runs");
        let script = format!("echo >> {runs}; sleep 0.05; echo \"re $TALK_TEXT\"");
        let args = [
            "--app",
            APP,
            "--user",
            BOT,
            "--host",
            host,
            "bot",
            "--store",
            &store,
            "--start",
            "beginning",
            "--reply",
        ];
        let args = args.into_iter().chain(standby);
        let args = args.chain(["--", "sh", "-c", &script]);
        Self {
            program: options.talk.clone().unwrap_or_default(),
            args: args.map(str::to_owned).collect(),
            runs: Some(runs.into()),
            kills,
        }
    }

    fn start(&self) -> Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null());
        let process = command.kill_on_drop(true).spawn();
        process.with_context(|| format!("{} does not start", self.program.display()))
    }

    /// Starts and kills the bot in a loop.
    async fn kill_repeatedly(&self) -> Result<Infallible> {
        loop {
            let mut process = self.start()?;
            if let Ok(status) = timeout(LIFE, process.wait()).await {
                anyhow::bail!("the bot has ended: {}", status?);
            }
            process.kill().await?;
            self.kills.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Starts the bot in a loop. At random times, suspends or kills it.
    async fn interrupt(&self, seed: u64) -> Result<Infallible> {
        let mut random = fastrand::Rng::with_seed(seed);
        loop {
            let mut process = self.start()?;
            loop {
                let life = Duration::from_secs(random.u64(SHARED_LIFE));
                if let Ok(status) = timeout(life, process.wait()).await {
                    anyhow::bail!("the bot has ended: {}", status?);
                }
                self.kills.fetch_add(1, Ordering::Relaxed);
                if random.bool() {
                    break;
                }
                signal(&process, "-STOP").await?;
                sleep(STOPPED).await;
                signal(&process, "-CONT").await?;
            }
            process.kill().await?;
        }
    }

    fn kills(&self) -> usize {
        self.kills.load(Ordering::Relaxed)
    }

    /// Returns the number of runs of the command.
    fn runs(&self) -> Result<Option<usize>> {
        let runs = self.runs.as_ref().map(std::fs::read).transpose()?;
        Ok(runs.map(|lines| lines.len()))
    }
}

async fn signal(process: &Child, signal: &str) -> Result<()> {
    let id = process.id().context("the bot has ended")?.to_string();
    let status = Command::new("kill").args([signal, &id]).status().await?;
    ensure!(status.success(), "kill {signal} failed");
    Ok(())
}

/// Stops the database for [`OUTAGE`], [`RESTARTS`] times.
async fn restart(database: &mut Server, duration: Duration) -> Result<Infallible> {
    for _ in 0..RESTARTS {
        sleep(duration / (RESTARTS + 1)).await;
        database.stop();
        sleep(OUTAGE).await;
        database.run();
    }
    pending().await
}

/// Asks all questions. The later conversations are created by their first question.
async fn ask_all(bob: &Session, seed: u64, duration: Duration) -> Result<()> {
    let others = (0..QUESTIONS - 2 * LONG).map(|number| 2 + number % (CONVERSATIONS - 2));
    let mut conversations: Vec<_> = others.collect();
    conversations.extend([[0, 1]; LONG].concat());
    fastrand::Rng::with_seed(seed).shuffle(&mut conversations);
    let mut asked = [0; CONVERSATIONS];
    let pause = duration / u32::try_from(QUESTIONS)?;
    for number in conversations {
        let conversation = bob.conversation(name(number))?;
        let before = asked.get_mut(number).context("no such conversation")?;
        if *before == 0 && number >= EARLY {
            conversation
                .create_if_not_exists(Default::default())
                .await?;
            let bot = conversation.participant(BOT)?;
            bot.create_if_not_exists(ParticipantParams::default())
                .await?;
        }
        *before += 1;
        conversation.send(format!("question {before}")).await?;
        sleep(pause).await;
    }
    Ok(())
}

/// Drops the connections and restarts the server at regular times.
async fn disrupt(emulator: &Emulator, duration: Duration) -> Result<()> {
    let times = LOSSES + RESTARTS;
    for number in 1..=times {
        sleep(duration / times).await;
        match number % (times / RESTARTS) {
            0 => emulator.restart(false).await?,
            _ => emulator.drop_connections().await?,
        }
    }
    Ok(())
}

fn is_of(message: &MessageSnapshot, user: &str) -> bool {
    let sender = message.sender_id.as_ref();
    sender.is_some_and(|sender| sender.as_str() == user)
}

/// Waits until there are as many answers as questions.
async fn wait_for_answers(emulator: &Emulator) -> Result<()> {
    let is_there = emulator.wait_for(|server| {
        let answers = (0..CONVERSATIONS).map(|number| {
            let messages = server.messages(APP, &name(number));
            messages
                .iter()
                .filter(|message| is_of(message, BOT))
                .count()
        });
        answers.sum::<usize>() >= QUESTIONS
    });
    Ok(is_there.await?)
}

/// Checks that the answers in each conversation refer to its questions, once and in order.
async fn check(emulator: &Emulator) -> Result<()> {
    let mut all = 0;
    for number in 0..CONVERSATIONS {
        let conversation = name(number);
        let messages = emulator.messages(APP, &conversation).await?;
        let questions = messages.iter().filter(|message| is_of(message, USER));
        let questions: Vec<_> = questions.map(|message| &message.id).collect();
        let answers = messages.iter().filter(|message| is_of(message, BOT));
        let answers: Vec<_> = answers
            .filter_map(|message| message.referenced_message_id.as_ref())
            .collect();
        ensure!(
            questions == answers,
            "{conversation}: {questions:?} were answered by {answers:?}"
        );
        all += questions.len();
    }
    ensure!(all == QUESTIONS, "{all} questions were asked");
    Ok(())
}
