//! `talk rpc`: a session over standard input and output, with a JSON object per line.

mod action;
mod args;
mod calls;
mod connection_line;
mod dispatch;
mod feeds;
mod inbox;
mod inboxes;
pub(crate) mod input;
mod intake;
mod line;
mod outbox;
mod output;
mod searches;
mod serve;
mod signatures;
mod state;
mod subscriptions;
mod uploads;

#[cfg(test)]
pub(crate) use self::signatures::table;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use self::output::Output;
use crate::exit::{CliError, Outcome, runtime};
use crate::seconds::seconds;
use crate::session_plan::SessionPlan;

/// The arguments of `talk rpc` in addition to the flags of every session.
#[derive(Debug, clap::Args)]
#[command(after_help = signatures::help())]
pub(crate) struct Options {
    /// The time limit of calls in flight after the end of input, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    drain_timeout: Duration,
    /// If another process uses the store, work without it and wait until it is free
    #[arg(long)]
    standby: bool,
    /// Keep the newest items of subscribed lists in --store, and show them until the server answers
    #[arg(long)]
    cache: bool,
}

/// Runs until the input or the session ends.
pub(crate) fn run(options: &Options, session: SessionPlan) -> Outcome {
    let session = session.with_outbox().store_timeout(Duration::ZERO);
    let session = match options.standby {
        true => session.standby()?,
        false => session,
    };
    let session = match options.cache {
        true => session.cache()?,
        false => session,
    };
    let session = match session.common.timeout {
        Some(timeout) => session.call_timeout(timeout),
        None => session,
    };
    let runtime = runtime()?;
    let (output, writer) = Output::start(io::stdout())?;
    let lines = input::start(io::stdin())?;
    let exit_code = runtime.block_on(async {
        Ok(serve::serve(session.open()?, lines, output, options.drain_timeout).await)
    });
    // Tasks of the session and the output end with the runtime.
    runtime.shutdown_background();
    match writer.join() {
        Ok(Ok(())) => exit_code,
        // If the reader closes the pipe, the command ends without an error.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => exit_code,
        Ok(Err(error)) => Err(CliError::Output(error)),
        Err(_) => Ok(ExitCode::FAILURE),
    }
}
