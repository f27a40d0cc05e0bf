//! `talk rpc`: one session over standard input and output, one JSON object a line each way.

use crate::exit::{CommandError, Outcome};

/// What `talk rpc` takes besides the flags of every session.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// Runs until the end of input or of the session.
pub(crate) fn run(_options: &Options) -> Outcome {
    Err(CommandError::Usage("rpc is not available yet".to_owned()))
}
