//! Fuzz targets for a live client core, whose invariants are checked at every step.

use std::time::Duration;

use talk_proto::SessionOptions;

use crate::support::history::{History, Step};
use crate::support::script::Answer;
use crate::support::{Transcript, options, unpaced};

/// The numbers of calls and topics to choose from.
const CALLS: u8 = 26;
const TOPICS: u8 = 12;

/// Sends each line of the data as a server frame to a session that has subscribed to everything and
/// has calls of every kind in flight. The server answers only the token renewal.
pub fn frames(data: &[u8]) {
    let mut history = History::new(unpaced(), 1);
    history
        .world
        .invariants
        .publish(&String::from_utf8_lossy(data));
    let silence = |path: &str| (path != "/session/renew").then_some(Answer::Silence);
    history
        .world
        .script
        .add(move |request| silence(&request.path));
    for kind in 0..TOPICS {
        history.take(&Step::Subscribe { topic: kind, id: 0 });
    }
    for kind in 0..CALLS {
        let (id, drains) = (0, true);
        history.take(&Step::Call { kind, id, drains });
    }
    for line in data.split(|byte| *byte == b'\n') {
        history.world.run_for(Duration::from_millis(1));
        history.world.receive(&String::from_utf8_lossy(line));
    }
    history.heal();
}

/// Creates a session from the first bytes and applies the remaining bytes to it as steps. Runs the
/// steps twice and compares the outputs byte for byte.
pub fn inputs(data: &[u8]) {
    let [kind, seed, steps @ ..] = data else {
        return;
    };
    let steps = Step::all_of(steps);
    let transcript = || {
        let mut history = History::new(session(*kind), (*seed).into());
        history.world.transcript = Some(Transcript::new());
        history.live(&steps);
        history.world.transcript
    };
    assert_eq!(transcript(), transcript(), "the same inputs, other outputs");
}

fn session(kind: u8) -> SessionOptions {
    let mut options = if kind & 1 == 0 { options() } else { unpaced() };
    // Without a token fetcher, the session requests anonymous tokens from the service.
    options.authentication.can_fetch_token = kind & 2 == 0;
    if kind & 4 != 0 {
        options.authentication.token = Some("the-given-token".into());
    }
    if kind & 8 != 0 {
        options.authentication.signature = Some("the-signature".into());
    }
    if kind & 16 != 0 {
        options.limits.pending_calls = 5;
        options.limits.subscriptions = 3;
        options.limits.window = 4;
        options.limits.frame_size = 400;
    }
    options
}
