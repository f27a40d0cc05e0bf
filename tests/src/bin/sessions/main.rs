//! Measures the memory of many sessions in a process, and their reconnects after server restarts.
//!
//! Opens many sessions to an emulator in a child process, each with a subscription to an empty
//! conversation, and prints the memory of a session as JSON. Then restarts the server with and
//! without an announcement, and prints the times of the attempts to reconnect. Fails if a goal is
//! missed. Linux only: memory is read from `/proc`.
//!
//! ```sh
//! ulimit -n 20000
//! cargo run --release -p talk-tests --bin sessions -- --sessions 10000
//! cargo run --release -p talk-tests --bin sessions -- --sessions 10000 --tls
//! ```

mod histogram;
mod many_sessions;
mod process;
mod reconnect;
mod server;
mod tls;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use serde_json::json;

use crate::many_sessions::ManySessions;
use crate::reconnect::Comeback;
use crate::server::Servers;

/// The memory limit of a session in the client, over plain TCP.
const GOAL_BYTES: u64 = 16 * 1024;

/// The wait before memory is measured.
const SETTLE: Duration = Duration::from_secs(5);

/// Connections that lasted longer than this count as healthy, so that the next loss begins with the
/// first delay again.
const HEALTHY: Duration = Duration::from_secs(12);

/// The outage of an unannounced restart. It is longer than the first attempts take, so that there
/// are later ones.
const OUTAGE: Duration = Duration::from_secs(2);

#[derive(Debug, Parser)]
struct Args {
    /// The number of sessions
    #[arg(long, default_value_t = 10_000)]
    sessions: usize,
    /// Connect with TLS
    #[arg(long)]
    tls: bool,
    /// Skip the restarts
    #[arg(long)]
    memory_only: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// The role of a child process.
#[derive(Debug, Subcommand)]
enum Role {
    /// The emulator
    #[command(hide = true)]
    Server {
        #[arg(long)]
        port: u16,
    },
    /// TLS in front of the emulator
    #[command(hide = true)]
    Tls {
        #[arg(long)]
        to: String,
    },
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    match args.role {
        Some(Role::Server { port }) => server::run(port).await.map(|()| ExitCode::SUCCESS),
        Some(Role::Tls { to }) => tls::run(to).await.map(|()| ExitCode::SUCCESS),
        None => measure(&args).await,
    }
}

async fn measure(args: &Args) -> Result<ExitCode> {
    process::check_open_files(args.sessions)?;
    let mut servers = Servers::start(args.sessions, args.tls).await?;

    // The first session pays the one-time costs.
    let mut many_sessions = ManySessions::default();
    many_sessions.grow(&servers, 1).await?;
    tokio::time::sleep(SETTLE).await;
    let before = process::resident_bytes()?;
    many_sessions.grow(&servers, args.sessions).await?;
    tokio::time::sleep(SETTLE).await;
    let after = process::resident_bytes()?;
    let each = after.saturating_sub(before) / u64::try_from(args.sessions)?;
    let memory_is_met = args.tls || each <= GOAL_BYTES;

    let mut figures = json!({
        "sessions": args.sessions,
        "tls": args.tls,
        "memory": {
            "rss_before": before,
            "rss_after": after,
            "bytes_per_session": each,
            "goal": (!args.tls).then_some(GOAL_BYTES),
            "met": memory_is_met,
        },
    });
    let mut all_met = memory_is_met;
    if !args.memory_only {
        let planned = comeback(&many_sessions, servers.restart_planned()).await?;
        let unplanned = comeback(&many_sessions, servers.restart_unplanned(OUTAGE)).await?;
        let (planned, planned_met) = planned.planned();
        let (unplanned, unplanned_met) = unplanned.unplanned();
        figures["planned_restart"] = planned;
        figures["unplanned_restart"] = unplanned;
        all_met &= planned_met && unplanned_met;
    }
    println!("{figures:#}");
    Ok(if all_met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Restarts the server and waits until all sessions are connected again.
async fn comeback(
    many_sessions: &ManySessions,
    restart: impl Future<Output = Result<()>>,
) -> Result<Comeback> {
    tokio::time::sleep(HEALTHY).await;
    let watch = Comeback::watch(many_sessions);
    restart.await.context("the server did not restart")?;
    watch.all_back().await
}
