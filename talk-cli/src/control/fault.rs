use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use talk_emulator::server::{Fault, FaultKind};

use super::connection::{Control, ControlArgs};
use crate::exit::Outcome;
use crate::output_args::Common;
use crate::seconds::seconds;
use crate::session_args::SessionArgs;

/// The arguments of `talk fault`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The kind: drop, stall, slow, unanswered, 401, 429, 500, restart or token_expiry; for
    /// webhooks webhook_reorder, webhook_duplicate, webhook_delay or webhook_drop; for batches
    /// batch_shuffle
    #[arg(value_parser = kind)]
    kind: FaultKind,
    /// Restrict the fault to this user
    #[arg(long, value_name = "USER")]
    only: Option<String>,
    /// Restrict the fault to paths with this prefix, such as /conversations/lobby or /files; for
    /// webhooks, to types such as message.sent
    #[arg(long, value_name = "PREFIX")]
    path: Option<String>,
    /// The number of times
    #[arg(long, value_name = "N", default_value_t = 1)]
    times: u32,
    /// The delay in seconds before the fault starts; for slow, the delay of an answer; for
    /// webhook_delay and webhook_reorder, of a webhook
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    after: Option<Duration>,
    /// Restrict the fault to uploads, after this number of bytes
    #[arg(long, value_name = "BYTES")]
    after_bytes: Option<u64>,
    #[command(flatten)]
    control: ControlArgs,
}

/// Injects a fault into a running emulator.
pub(crate) fn run_fault(options: Options, session: &SessionArgs, common: Common) -> Outcome {
    let mut fault = Fault::new(options.kind).times(options.times);
    fault.user = options.only;
    fault.path = options.path;
    fault.after_bytes = options.after_bytes;
    if let Some(delay) = options.after {
        fault = fault.after(delay);
    }
    let control = Control::new(options.control, session, common)?;
    control.post("/faults", &json!(fault))?;
    Ok(ExitCode::SUCCESS)
}

fn kind(name: &str) -> Result<FaultKind, String> {
    serde_json::from_value(Value::from(name)).map_err(|error| error.to_string())
}
