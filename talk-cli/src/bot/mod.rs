//! `talk bot`: runs a command for each message of other users, and sends its output as the answer.

mod command;
mod handler;
mod process_group;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use futures_util::FutureExt;
use talk_tokio::inbox::{Inbox, InboxStart, RunOptions};
use talk_tokio::outbox::Entry;
use talk_tokio::store::{StoreError, StoreState};
use talk_tokio::{ConversationFilter, Error, Session, Timestamp};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use self::command::BotCommand;
use self::handler::Handler;
use crate::commands::{filter, report_lost_messages, report_problems};
use crate::exit::{CliError, Outcome, runtime};
use crate::seconds::seconds;
use crate::session_plan::{Runtime, SessionPlan};
use crate::signals::stop_signal;
use crate::stdout::stdout_closed;
use crate::terminal::Printer;

/// The time limit of running commands after a stop signal.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// The text at the end of `talk bot --help`.
const AFTER_HELP: &str = r#"
COMMAND reads one line from standard input, {"conversation": SNAPSHOT, "message": SNAPSHOT}, and has
TALK_CONVERSATION, TALK_MESSAGE, TALK_SENDER and TALK_TEXT in its environment. Its output is the
answer; without output, there is none. An exit code other than 0, more than 64 KiB of output, or no
end in time is a failure: the message is tried again after 1 s, then 2 s, up to 60 s, and skipped
after five tries. A command that cannot be started ends the bot with exit code 1, and the message
stays unhandled; if the system only lacks resources, it is started later.

With --store, each message is answered exactly once, also if the bot crashes. Without it, the bot
begins at --start again when it restarts.

  talk bot --store bot.talk -- sh -c 'echo "You wrote: $TALK_TEXT"'"#;

/// The arguments of `talk bot`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The name of the positions in the store, for several bots of one user
    #[arg(long, default_value = "bot", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Wait while another process uses the store, and take over when it ends
    #[arg(long)]
    standby: bool,
    /// Only messages of this conversation
    #[arg(long, value_name = "ID", conflicts_with = "filter")]
    conversation: Option<String>,
    /// Only messages of conversations that match this filter, in JSON:
    /// {"custom": {"queue": ["==", "support"]}}
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<ConversationFilter>,
    /// The first messages to answer if the store does not know the name: those from 'now' on, from
    /// the 'beginning' on, or from a time in milliseconds since 1970 on
    #[arg(long, value_name = "now|beginning|MS", default_value = "now", value_parser = start)]
    start: InboxStart,
    /// The number of conversations whose messages are handled at the same time. The messages of one
    /// conversation are handled in order
    #[arg(long, value_name = "N", default_value = "8", value_parser = concurrency)]
    concurrency: usize,
    /// Send answers as replies to their messages
    #[arg(long)]
    reply: bool,
    /// Do not show the bot as typing while the command runs
    #[arg(long)]
    no_typing: bool,
    /// The time limit of the command in seconds. It is killed afterwards, with the processes that
    /// it has started
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = command_timeout)]
    command_timeout: Duration,
    /// The command and its arguments, run without a shell
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Answers messages until a stop signal arrives.
pub(crate) fn run(options: Options, mut session: SessionPlan) -> Outcome {
    if options.standby {
        session.require_store("--standby")?;
    }
    let command = BotCommand::new(options.command.clone(), options.command_timeout)?;
    session.runtime = Runtime::Tokio;
    runtime()?.block_on(async {
        let printer = Printer::new(session.common.json);
        if session.store.is_none() {
            printer.notice("without --store, a restart begins at --start again");
        }
        let host = session.host.clone();
        let is_json = session.common.json;
        let stop = stop_signal()?;
        let stop = async move {
            tokio::select! {
                _ = stop => {}
                () = stdout_closed(), if is_json => {}
            }
        };
        let session = open(session, options.standby)?;
        let reports = report_problems(&session, &host, printer);
        let outcome = tokio::select! {
            biased;
            outcome = serve(&session, options, command, printer, stop) => outcome,
            never = reports => match never {},
        };
        report_lost_messages(&session, printer).await;
        session.shutdown().await;
        let outcome = match session.store_state() {
            // The last acknowledgements or answers may not be stored.
            StoreState::Failing(error) => outcome.and(Err(Error::Store(error).into())),
            _ => outcome,
        };
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

fn open(session: SessionPlan, standby: bool) -> Result<Session, CliError> {
    let session = session.with_outbox().store_timeout(Duration::ZERO);
    let session = match standby {
        true => session.standby()?,
        false => session,
    };
    let session = match session.common.timeout {
        Some(timeout) => session.call_timeout(timeout),
        None => session,
    };
    Ok(session.open()?)
}

/// Handles messages until `stop` completes. A standby that loses the store waits for it again.
async fn serve(
    session: &Session,
    options: Options,
    command: BotCommand,
    printer: Printer,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CliError> {
    let stop = stop.boxed().shared();
    loop {
        let command = command.clone();
        match serve_inbox(session, &options, command, printer, stop.clone()).await {
            Err(CliError::Talk(Error::Store(error @ StoreError::Lost))) if options.standby => {
                printer.notice(&error.to_string());
            }
            served => return served,
        }
    }
}

/// Opens the inbox, and handles its messages until `stop` completes.
async fn serve_inbox(
    session: &Session,
    options: &Options,
    command: BotCommand,
    printer: Printer,
    mut stop: impl Future<Output = ()> + Send + Unpin + 'static,
) -> Result<(), CliError> {
    let inbox = tokio::select! {
        biased;
        inbox = open_inbox(session, options) => match inbox {
            Err(Error::Usage(error)) => return Err(CliError::Usage(error.to_string())),
            inbox => inbox?,
        },
        () = &mut stop => return Ok(()),
    };
    printer.notice("waiting for messages");
    let (stopping, stopped) = oneshot::channel();
    let (broken, mut breaks) = watch::channel(None);
    let breaking = broken.clone();
    let run = RunOptions::new(options.concurrency)
        // The command has its own time limit.
        .timeout(None)
        // A command that cannot be started is no fault of the message.
        .always_retry_if(|error| handler::start_error(error).is_some())
        .on_failure(move |failure| {
            if let Some(error) = handler::start_error(&failure.error)
                && !command::is_temporary(error)
            {
                breaking.send_replace(Some(error.to_string()));
                return;
            }
            printer.notice(&failure.to_string());
            if failure.retry_in.is_none() {
                handler::print_line(printer, &failure.delivery, None);
            }
        })
        .on_held(move |entry| printer.notice(&held(entry)))
        .graceful_shutdown(async move {
            tokio::select! {
                () = stop => {}
                _ = breaks.wait_for(Option::is_some) => {}
            }
            // Fails if the inbox has ended, because the receiver is dropped.
            let _ = stopping.send(());
        });
    let handler = Handler {
        command,
        printer,
        is_reply: options.reply,
        shows_typing: !options.no_typing,
    };
    let late = async {
        match stopped.await {
            Ok(()) => sleep(STOP_GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        outcome = inbox.run(run, |delivery| handler.handle(delivery)) => outcome?,
        // Dropping the handlers kills their commands.
        () = late => {}
    }
    match broken.borrow().clone() {
        Some(reason) => Err(CliError::Command(reason)),
        None => Ok(()),
    }
}

async fn open_inbox(session: &Session, options: &Options) -> Result<Inbox, Error> {
    let name = options.name.as_str();
    let mut inbox = match &options.conversation {
        Some(id) => session.conversation(id.as_str())?.inbox(name),
        None => session.inbox(name),
    };
    if let Some(filter) = &options.filter {
        inbox = inbox.filter(filter.clone());
    }
    // Enough for the messages of `concurrency` conversations.
    let unacked = options.concurrency.saturating_mul(4).max(256);
    inbox.max_unacked(unacked).start(options.start).open().await
}

/// Returns the report of an answer that is not sent.
fn held(entry: &Entry) -> String {
    let (id, conversation) = (&entry.id, &entry.conversation);
    let reason = match entry.held() {
        Some(talk_tokio::outbox::HeldReason::Refused(error)) => error.to_string(),
        Some(reason) => format!("its state is {}", reason.kind()),
        None => String::new(),
    };
    format!("answer {id} in conversation {conversation} is not sent: {reason}")
}

/// Parses the value of `--start`.
fn start(value: &str) -> Result<InboxStart, &'static str> {
    match value {
        "now" => Ok(InboxStart::Now),
        "beginning" => Ok(InboxStart::Beginning),
        time => match time.parse() {
            Ok(time) if time >= 0 => Ok(InboxStart::At(Timestamp::from_millis(time))),
            _ => Err("expected 'now', 'beginning', or a time in milliseconds since 1970"),
        },
    }
}

/// Parses the value of `--command-timeout`.
fn command_timeout(value: &str) -> Result<Duration, String> {
    match seconds(value) {
        Ok(Duration::ZERO) => Err("expected more than 0 seconds".to_owned()),
        timeout => timeout,
    }
}

/// Parses the value of `--concurrency`.
fn concurrency(value: &str) -> Result<usize, &'static str> {
    match value.parse() {
        Ok(0) | Err(_) => Err("expected a number of at least 1"),
        Ok(number) => Ok(number),
    }
}
