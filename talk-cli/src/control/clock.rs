use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use talk_proto::Timestamp;

use super::connection::{Control, ControlArgs, parse};
use crate::exit::Outcome;
use crate::output_args::Common;
use crate::seconds::seconds;
use crate::session_args::SessionArgs;
use crate::terminal::Printer;

/// The arguments of `talk clock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    control: ControlArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the time of the emulator in unix milliseconds
    Show,
    /// Advance the time, and print it: sessions expire, typing ends, webhooks are retried
    Advance {
        /// The duration
        #[arg(value_name = "SECONDS", value_parser = seconds)]
        by: Duration,
    },
}

#[derive(Deserialize)]
struct Clock {
    now: Timestamp,
}

/// Shows or advances the clock of a running emulator.
pub(crate) fn run_clock(options: Options, session: &SessionArgs, common: Common) -> Outcome {
    let control = Control::new(options.control, session, common)?;
    let answer = match options.action {
        Action::Show => control.get("/clock")?,
        Action::Advance { by } => {
            let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            control.post("/clock", &json!({ "advanceMs": millis }))?
        }
    };
    let Clock { now } = parse(&answer)?;
    let printer = Printer::new(common.json);
    let millis = now.as_millis();
    printer.print_as(&json!({ "now": millis }), || millis.to_string())?;
    Ok(ExitCode::SUCCESS)
}
