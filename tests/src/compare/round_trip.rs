//! Row F: the time from a send to its answer.

use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result};
use talk_tokio::{TalkOptions, get_talk_session};
use tokio::runtime::Builder;

use super::bot::{APP, Bot, MESSAGE};
use super::frames::CONVERSATION;
use super::process::stay_on_one_processor;
use super::rounds::{Pair, median, medians, percentile, ratio};
use super::row::Row;
use super::scripted::LAST_SEND;
use super::server::Server;

/// The sends of a run.
const SENDS: usize = 3_000;

const RUNS: usize = 5;

/// Measures row F in tasks of a runtime, as in a user's program.
///
/// Client and server share a processor. On two processors, a round trip would mostly consist of
/// waking a sleeping thread. The bare socket waits for that wake-up and the threads of our busier
/// runtime do not, so that the comparison would favour ours.
pub(super) fn measure() -> Result<Vec<Row>> {
    let measuring = std::thread::spawn(|| {
        stay_on_one_processor()?;
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async { tokio::spawn(measure_in_task()).await? })
    });
    measuring
        .join()
        .map_err(|_| Error::msg("the measurement panicked"))?
}

async fn measure_in_task() -> Result<Vec<Row>> {
    let mut server = Server::start("scripted").await?;
    // The first round is a warm-up.
    by_talk(&server).await?;
    by_bot(&mut server).await?;
    let (mut middles, mut tails) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let ours = Times::of(by_talk(&server).await?)?;
        let theirs = Times::of(by_bot(&mut server).await?)?;
        middles.push(Pair {
            ours: ours.median,
            theirs: theirs.median,
        });
        tails.push(Pair {
            ours: ours.tail,
            theirs: theirs.tail,
        });
    }
    let (ours, theirs) = medians(&middles);
    let (our_tail, their_tail) = medians(&tails);
    let what = format!(
        "a send until it is answered, through talk-tokio against a bare tokio-tungstenite socket \
         (median {ours:.0} : {theirs:.0} µs, 99th percentile {our_tail:.0} : {their_tail:.0} µs)"
    );
    Ok(vec![Row::at_most(1.3, "F", ratio(&middles), what)])
}

/// The times of a run's sends, in microseconds.
struct Times {
    median: f64,
    /// The 99th percentile.
    tail: f64,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Result<Self> {
        times.sort_unstable();
        let micros = |time: &Duration| time.as_secs_f64() * 1e6;
        let tail = percentile(&times, 0.99).context("no times")?;
        Ok(Self {
            median: median(times.iter().map(micros)),
            tail: micros(&tail),
        })
    }
}

async fn by_talk(server: &Server) -> Result<Vec<Duration>> {
    let options = TalkOptions::new(APP, "alice")?
        .host(&server.host)
        .token("t")
        .force_new();
    let session = get_talk_session(options)?;
    let conversation = session.conversation(CONVERSATION)?;
    conversation.send(MESSAGE).await?;
    let mut times = Vec::with_capacity(SENDS);
    for _ in 0..SENDS {
        let start = Instant::now();
        conversation.send(MESSAGE).await?;
        times.push(start.elapsed());
    }
    session.shutdown().await;
    Ok(times)
}

/// Repeats the bytes of our client's last send on a bare socket.
async fn by_bot(server: &mut Server) -> Result<Vec<Duration>> {
    let send = server.ask(LAST_SEND).await?;
    let mut bot = Bot::connect(&server.host, "alice").await?;
    bot.echo(&send).await?;
    let mut times = Vec::with_capacity(SENDS);
    for _ in 0..SENDS {
        let start = Instant::now();
        bot.echo(&send).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}
